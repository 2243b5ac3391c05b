// The most units that a drawing can count, before it is drawn: what is set aside of a budget for it.
import type { Units } from "../../core/pipeline.ts";
import type { DrawingInput } from "./drawing-fields.ts";
import { type ImageSize, sizeToDraw } from "./image-size.ts";

type Asked = Pick<DrawingInput, "num_images" | "num_inference_steps"> & { image_size?: ImageSize | undefined };

/** Sides are rounded to the nearest size that a model can draw: by at most half of the largest multiple of all families. */
const ROUNDING = 32;

/** Without a size that was asked for, only the loaded model knows its own. */
export function mostDrawn({ num_images: images, num_inference_steps: steps, image_size: asked }: Asked): Units {
  const area = asked === undefined ? Number.POSITIVE_INFINITY : mostMegapixels(asked);
  return { images, steps: images * steps, megapixels: images * area };
}

function mostMegapixels(asked: ImageSize): number {
  const { width, height } = sizeToDraw(asked, { native: { width: 0, height: 0 }, multiple: 1 });
  const rounded = (side: number) => (side % (2 * ROUNDING) === 0 ? side : side + ROUNDING);
  return (rounded(width) * rounded(height)) / 1e6;
}
