// What a ControlNet looks at, made of a picture as it was given: its edges, or its depths or people's skeletons by a model among the weights.
import type { ForecourtError } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { depthPicture } from "../depth/depth-map.ts";
import { loadDepthModel } from "../depth/depth-model.ts";
import { inFolder } from "../in-folder.ts";
import { createPause } from "../pause.ts";
import { loadPoseModel } from "../pose/pose-model.ts";
import { SURE, skeletonsOf } from "../pose/skeleton.ts";
import { canny } from "../vision/canny.ts";
import type { ControlInput } from "./control-fields.ts";

/** Of a checked input. Throws `invalid_input` for a preprocessor that the weights have no model for. */
export type Prepare = (picture: Pixels, input: ControlInput, signal: AbortSignal) => Promise<Pixels>;

/** Where such a model lies, in the layout that estimate-depth or estimate-pose reads, and what it makes a picture of. */
const FOLDERS = { depth: "depths", pose: "skeletons" } as const;
type Folder = keyof typeof FOLDERS;

export async function loadPreprocessors(assets: Assets): Promise<Prepare> {
  const opened = async <Model>(folder: Folder, open: (assets: Assets) => Promise<Model>) =>
    assets.list(folder).length > 0 || assets.has(`${folder}/onnx/model.onnx`)
      ? await open(inFolder(assets, folder))
      : undefined;
  const depth = await opened("depth", loadDepthModel);
  const pose = await opened("pose", loadPoseModel);
  return async (picture, { preprocessor, low_threshold: low, high_threshold: high }, signal) => {
    switch (preprocessor) {
      case "none":
        return picture;
      case "canny":
        return await canny(picture, { low, high }, createPause(signal));
      case "depth":
        if (!depth) throw noModel("depth");
        return await depthPicture(await depth.estimate(picture, signal), createPause(signal));
      case "pose":
        if (!pose) throw noModel("pose");
        return skeletonsOf(picture, await pose.find(picture, { boxes: [], threshold: SURE, signal }));
    }
  };
}

function noModel(folder: Folder): ForecourtError {
  const msg = `This model has no model of ${FOLDERS[folder]} in its folder "${folder}": give a picture of ${FOLDERS[folder]} and preprocessor: none`;
  return wrongField("preprocessor", msg);
}
