// Pictures that a model looks at while it draws another: of at most its own area, cut to whole latents, as diffusers does.
import { ForecourtError } from "../../core/errors.ts";
import type { Pixels } from "../../core/pipeline.ts";
import type { Pause } from "../pause.ts";
import { crop } from "../tensor/crop.ts";
import { resize } from "../tensor/resize.ts";
import type { Size } from "./image-size.ts";

/** Pixels that the model's own pipeline takes (diffusers' Flux2ImageProcessor): of a side, and from side to side. */
const SMALLEST_SIDE = 64;
const LARGEST_RATIO = 8;

type Fitting = {
  most: Size;
  multiple: number;
  pause: Pause;
  /** Which of the pictures it is, for the error. */
  place?: number;
};

/** The middle of the picture, both sides multiples of `multiple`, after it was made smaller where it is larger than `most`. */
export async function fittedReference(picture: Pixels, { most, multiple, place = 0, pause }: Fitting): Promise<Pixels> {
  checkShape(picture, place);
  const shrink = Math.sqrt((most.width * most.height) / (picture.width * picture.height));
  const small = shrink < 1 ? await shrunk(picture, shrink, pause) : picture;
  const whole = (side: number) => Math.floor(side / multiple) * multiple;
  const [width, height] = [whole(small.width), whole(small.height)];
  const middle = (inner: number, outer: number) => Math.floor((outer - inner) / 2);
  return crop(small, { left: middle(width, small.width), top: middle(height, small.height), width, height });
}

async function shrunk(picture: Pixels, shrink: number, pause: Pause): Promise<Pixels> {
  const side = (length: number) => Math.trunc(length * shrink);
  return await resize(picture, { width: side(picture.width), height: side(picture.height), kernel: "lanczos3", pause });
}

function checkShape({ width, height }: Size, place: number): void {
  const isSmall = Math.min(width, height) < SMALLEST_SIDE;
  const isLong = Math.max(width, height) > LARGEST_RATIO * Math.min(width, height);
  if (!isSmall && !isLong) return;
  const msg = isSmall
    ? `A picture of ${width}x${height} is too small to go by: each side needs ${SMALLEST_SIDE} pixels`
    : `A picture of ${width}x${height} is too long to go by: a side may be ${LARGEST_RATIO} times the other`;
  const problem = { loc: ["body", "image_urls", place], msg, type: isSmall ? "image_too_small" : "value_error" };
  throw new ForecourtError("invalid_input", msg, { problems: [problem] });
}
