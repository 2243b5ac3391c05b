// A thing that was found in a picture, in fal's shape of detections.
import { Type } from "../../core/schema.ts";

export const detectionFields = {
  x: Type.Number({ description: "Left edge, in pixels of the picture." }),
  y: Type.Number({ description: "Top edge." }),
  w: Type.Number(),
  h: Type.Number(),
  label: Type.String(),
  score: Type.Number({ description: "From 0 to 1." }),
};
