// What a request wants to be taken away, as one mask of the picture's size: a drawn mask, boxes, or both.
import { ForecourtError } from "../../core/errors.ts";
import type { Pixels } from "../../core/pipeline.ts";
import { fittedMask } from "../diffusion/given-picture.ts";
import type { Pause } from "../pause.ts";
import type { Mask } from "../segmentation/runs.ts";
import { expanded } from "./expand.ts";
import type { Size } from "./places.ts";

/** In shares of the picture, 0 to 1. */
export type ShareBox = { x_min: number; y_min: number; x_max: number; y_max: number };

type Wished = {
  drawn: Pixels | undefined;
  boxes: readonly ShareBox[];
  /** Pixels by which all of it is made wider. */
  reach: number;
  pause: Pause;
};

/** Throws `invalid_input` where that leaves nothing to do, or nothing to fill from. */
export async function wishedMask({ width, height }: Size, { drawn, boxes, reach, pause }: Wished): Promise<Mask> {
  const field = drawn || boxes.length === 0 ? "mask_url" : "box_prompts";
  if (!drawn && boxes.length === 0) throw wrong(field, "is missing: give a mask, or boxes in box_prompts");
  const data = drawn ? await fittedMask(drawn, { width, height }, pause) : new Uint8Array(width * height);
  for (const box of boxes) {
    const [left, right] = [Math.floor(box.x_min * width), Math.ceil(box.x_max * width)];
    for (let y = Math.floor(box.y_min * height); left < right && y < Math.ceil(box.y_max * height); y++)
      data.fill(1, y * width + left, y * width + right);
  }
  const { data: wide, ...size } = await expanded({ data, width, height }, reach, pause);
  if (!wide.includes(1))
    throw wrong(field, "shows nothing to take away: no pixel is at least half white, or boxes are empty");
  if (!wide.includes(0)) throw wrong(field, "covers the whole picture, so that nothing is left to fill from");
  return { data: wide, ...size };
}

function wrong(field: string, why: string): ForecourtError {
  const problem = { loc: ["body", field], msg: `This ${why}`, type: "value_error" };
  return new ForecourtError("invalid_input", `${field} ${why}`, { problems: [problem] });
}
