// A whole picture in the size that a graph sees, with borders where it does not fill it.
import type { Pixels, ResizeOptions } from "../../core/pipeline.ts";
import { crop } from "../tensor/crop.ts";
import { resize } from "../tensor/resize.ts";
import { place, type SizeWish, type WholeView } from "./view.ts";

/** `fill`: grey of the borders, 0 to 255. */
type How = { kernel: ResizeOptions["kernel"]; fill: number };

export async function fitPicture(
  picture: Pixels,
  wish: SizeWish,
  { kernel, fill }: How,
): Promise<{ view: WholeView; pixels: Pixels }> {
  const { seen, content } = place(picture, wish);
  const resized = await resize(picture, { width: content.width, height: content.height, kernel });
  const pixels = crop(resized, { left: -content.left, top: -content.top, ...seen }, fill);
  return { view: { by: "whole", picture, seen, content }, pixels };
}
