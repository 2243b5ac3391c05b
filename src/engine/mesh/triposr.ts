// TripoSR in its two published layouts: an encoder that makes a scene of a picture, and a decoder that says of points how
// dense and of which colour the scene is there, from the scene itself or from its features at the points.
import { invariant } from "../../core/errors.ts";
import type { Assets, Graph, Pixels } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { resize } from "../tensor/resize.ts";
import { requirePort, sizeOf, tensorOf, toFloats } from "../tensor/tensor.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import { featuresAt, triplaneOf } from "./triplane.ts";

export type Scene3d = {
  /** Of points x, y, z within RADIUS of the middle along each axis: x towards who looks, y to the right, z up. */
  query(points: Float32Array): Promise<{
    /** One for each point; the surface lies at DENSE. */
    density: Float32Array;
    /** Red, green, blue from 0 to 1 for each. */
    colour: Float32Array;
  }>;
};

/** The reference's threshold. */
export const DENSE = 25;

/** What graphs are bound to see that do not say so themselves. */
const EDGE = 512;
const OF = "3D model";

export async function loadTripoSr(assets: Assets): Promise<(picture: Pixels) => Promise<Scene3d>> {
  const encoder = await assets.graph("encoder.onnx");
  const decoder = await assets.graph("decoder.onnx");
  const image = requirePort(encoder.inputs, { names: ["image"], of: OF });
  const codes = requirePort(encoder.outputs, { names: ["scene_codes", "triplane"], of: OF });
  const open = decoder.inputs.some(({ name }) => name === "points") ? fromScene : fromFeatures;
  const [height = EDGE, width = EDGE] = image.shape.slice(-2).map((edge) => (typeof edge === "number" ? edge : EDGE));
  return async (picture) => {
    const seen = await resize(picture, { width, height, kernel: "bilinear" });
    const pixels = await pictureTensor(image, [seen], { do_resize: false, do_normalize: false, do_center_crop: false });
    const found = (await encoder.run({ [image.name]: pixels }))[codes.name];
    invariant(found, "a graph gives each of its outputs");
    return open(decoder, found);
  };
}

/** The decoder samples the planes itself. */
function fromScene(decoder: Graph, found: Tensor): Scene3d {
  const points = requirePort(decoder.inputs, { names: ["points"], of: OF });
  const codes = requirePort(decoder.inputs, { names: ["scene_codes", "triplane"], of: OF });
  const scene = found.dtype === codes.dtype ? found : tensorOf(codes.dtype, found.shape, toFloats(found));
  return {
    async query(given) {
      const shape = [1, given.length / 3, 3];
      return answerOf(
        decoder,
        await decoder.run({ [codes.name]: scene, [points.name]: tensorOf(points.dtype, shape, given) }),
      );
    },
  };
}

/** The planes are sampled here: not every device can do it in a graph. */
function fromFeatures(decoder: Graph, found: Tensor): Scene3d {
  const features = requirePort(decoder.inputs, { names: ["features"], of: OF });
  const triplane = triplaneOf(found);
  return {
    async query(points) {
      const shape = [points.length / 3, 3 * triplane.channels];
      const sampled = tensorOf(features.dtype, shape, featuresAt(triplane, points));
      return answerOf(decoder, await decoder.run({ [features.name]: sampled }));
    },
  };
}

function answerOf({ outputs }: Graph, results: Record<string, Tensor>) {
  const read = (names: string[], width: number) => {
    const { name } = requirePort(outputs, { names, of: OF });
    const found = results[name];
    invariant(found, "a graph gives each of its outputs");
    invariant(sizeOf(found.shape) % width === 0, `${name} has ${width} numbers for each point`);
    return toFloats(found);
  };
  return { density: read(["density", "density_act"], 1), colour: read(["color", "colour"], 3) };
}
