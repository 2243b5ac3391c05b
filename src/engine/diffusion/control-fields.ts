// Fields of the input about the picture that a ControlNet looks at.
import { choice, mediaUrl, type Static, Type } from "../../core/schema.ts";

const share = (at: string, value: number) =>
  Type.Number({ default: value, minimum: 0, maximum: 1, description: `Share of the run at which the control ${at}.` });

const threshold = (value: number, description: string) =>
  Type.Integer({ default: value, minimum: 0, maximum: 2040, description });

export const controlFields = {
  control_image_url: mediaUrl(
    "image",
    "What to hold to: edges, depths or poses, as the model's ControlNet wants them, or a picture for the preprocessor.",
  ),
  preprocessor: choice(["none", "canny", "depth", "pose"], {
    default: "none",
    description:
      "canny: look at the edges of the given picture; depth: at its depths; pose: at the skeletons of its people. The last two are for models that have a model of these among their files.",
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

export type ControlInput = Static<typeof fields>;
