// Fields of the input about the picture that a ControlNet looks at, and how that picture is made of what was given.
import type { Pixels } from "../../core/pipeline.ts";
import { choice, mediaUrl, type Static, Type } from "../../core/schema.ts";
import { canny } from "../vision/canny.ts";
import type { ControlPicture } from "./control.ts";

const share = (at: string, value: number) =>
  Type.Number({ default: value, minimum: 0, maximum: 1, description: `Share of the run at which the control ${at}.` });

const threshold = (value: number, description: string) =>
  Type.Integer({ default: value, minimum: 0, maximum: 2040, description });

export const controlFields = {
  control_image_url: mediaUrl(
    "image",
    "What to hold to: edges, depths or poses, as the model's ControlNet wants them, or a picture for the preprocessor.",
  ),
  preprocessor: choice(["none", "canny"], {
    default: "none",
    description:
      "canny: look at the edges of the given picture. Depths and poses are found by models of their own, to be run before.",
  }),
  low_threshold: threshold(100, "Of canny: edges go on where the gradient is above this."),
  high_threshold: threshold(200, "Of canny: edges begin where the gradient is above this."),
  controlnet_conditioning_scale: Type.Number({
    default: 1,
    minimum: 0,
    maximum: 2,
    description: "How closely to hold to it; 0 is not at all.",
  }),
  start_percentage: share("begins", 0),
  end_percentage: share("ends", 1),
};

const fields = Type.Object(controlFields);

export function controlOf(picture: Pixels, input: Static<typeof fields>): ControlPicture {
  const { low_threshold: low, high_threshold: high } = input;
  return {
    picture: input.preprocessor === "canny" ? canny(picture, { low, high }) : picture,
    scale: input.controlnet_conditioning_scale,
    span: [input.start_percentage, input.end_percentage],
  };
}
