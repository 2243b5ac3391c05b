// Motion at the border of a pipeline: the fields about its files, and the files themselves.
import type { Task } from "../../core/pipeline.ts";
import { Type } from "../../core/schema.ts";
import { savedFileField } from "../media/saved-file.ts";
import { bvhOf } from "./bvh.ts";
import type { Motion } from "./motion.ts";
import { motionGlb } from "./motion-glb.ts";

/** Fields to be spread into a pipeline's own. */
export const motionFields = {
  input: {
    bvh_units_per_metre: Type.Number({
      ...{ default: 100, minimum: 0.01, maximum: 10_000 },
      description: "The BVH file has no unit of its own: 100 for centimetres, as most programs take them.",
    }),
  },
  output: {
    bvh_file: savedFileField("The skeleton and its movement as BVH."),
    model_glb: savedFileField("The same as binary glTF, in metres: an animated skeleton in a body of sticks."),
    fps: Type.Number({ description: "Frames a second." }),
    num_frames: Type.Integer(),
  },
};

type Saving = Pick<Task<{ bvh_units_per_metre: number }>, "input" | "save">;

export async function saveMotion({ input, save }: Saving, motion: Motion) {
  const bvh = bvhOf(motion, { unitsPerMetre: input.bvh_units_per_metre });
  return {
    bvh_file: await save(bvh, { name: "motion.bvh", contentType: "text/plain" }),
    model_glb: await save(await motionGlb(motion), { name: "motion.glb", contentType: "model/gltf-binary" }),
    ...{ fps: motion.fps, num_frames: motion.poses.length },
  };
}
