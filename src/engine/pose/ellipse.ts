// Ellipses as OpenCV draws them, at any place.
import type { Pixels } from "../../core/pipeline.ts";
import type { Colour } from "../vision/annotate.ts";

export type At = { x: number; y: number };

type Ellipse = {
  centre: At;
  /** Half axes. */
  along: number;
  across: number;
  /** Of the axis `along` to the right, in radians. */
  angle: number;
  colour: Colour;
};

/** In an RGB picture: all pixels whose middle lies within; places count from the middle of the first pixel. */
export function fillEllipse({ data, width, height }: Pixels, { centre, along, across, angle, colour }: Ellipse): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const reach = Math.max(along, across);
  const last = (middle: number, edge: number) => Math.min(edge - 1, Math.floor(middle + reach));
  for (let y = Math.max(0, Math.ceil(centre.y - reach)); y <= last(centre.y, height); y++)
    for (let x = Math.max(0, Math.ceil(centre.x - reach)); x <= last(centre.x, width); x++) {
      const [dx, dy] = [x - centre.x, y - centre.y];
      const [u, v] = [(dx * cos + dy * sin) / along, (dy * cos - dx * sin) / across];
      if (u * u + v * v <= 1) data.set(colour, (y * width + x) * 3);
    }
}

export const fillDisc = (pixels: Pixels, centre: At, { radius, colour }: { radius: number; colour: Colour }): void =>
  fillEllipse(pixels, { centre, along: radius, across: radius, angle: 0, colour });
