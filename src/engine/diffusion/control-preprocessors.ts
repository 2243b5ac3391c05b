// What a ControlNet looks at, made of a picture as it was given: its edges, or its depths by a model among the weights.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import { depthPicture } from "../depth/depth-map.ts";
import { loadDepthModel } from "../depth/depth-model.ts";
import { inFolder } from "../in-folder.ts";
import { canny } from "../vision/canny.ts";
import type { ControlInput } from "./control-fields.ts";

/** Of a checked input. Throws `invalid_input` for a preprocessor that the weights have no model for. */
export type Prepare = (picture: Pixels, input: ControlInput) => Promise<Pixels>;

/** Where the model of depths lies, in the layout that the pipeline estimate-depth reads. */
const DEPTH = "depth";

export async function loadPreprocessors(assets: Assets): Promise<Prepare> {
  const depth = assets.list(DEPTH).length > 0 ? await loadDepthModel(inFolder(assets, DEPTH)) : undefined;
  return async (picture, { preprocessor, low_threshold: low, high_threshold: high }) => {
    switch (preprocessor) {
      case "none":
        return picture;
      case "canny":
        return canny(picture, { low, high });
      case "depth":
        if (!depth) throw noDepths();
        return depthPicture(await depth.estimate(picture));
    }
  };
}

function noDepths(): ForecourtError {
  const msg = `This model has no model of depths in its folder "${DEPTH}": give a picture of depths and preprocessor: none`;
  return new ForecourtError("invalid_input", `preprocessor: ${msg}`, {
    problems: [{ loc: ["body", "preprocessor"], msg, type: "value_error" }],
  });
}
