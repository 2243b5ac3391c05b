// How far each pixel of a picture is, as numbers and as the picture that people and ControlNets look at.
import type { Pixels } from "../../core/pipeline.ts";
import type { Plane } from "../tensor/interpolate.ts";
import { toByte } from "../tensor/tiles.ts";

/** `metres`: distances. `nearness`: the nearer the greater, in a measure of each picture's own (MiDaS, Depth Anything). */
export type DepthUnit = "metres" | "nearness";
/** One value for each pixel. */
export type DepthMap = Plane & { unit: DepthUnit };

/** Not by Math.min(...values): that many arguments do not fit on the stack. */
export const rangeOf = ({ values }: Plane): { minimum: number; maximum: number } => ({
  minimum: values.reduce((least, value) => Math.min(least, value), Infinity),
  maximum: values.reduce((most, value) => Math.max(most, value), -Infinity),
});

/** Nearer than this many metres counts as this near: Depth Pro's own pictures end there. */
const NEAREST_METRES = 0.1;

/** Grey: the nearest pixel white, the farthest black; of distances their inverse, so that what is near is told apart. */
export function depthPicture(map: DepthMap): Pixels {
  const { width, height, values, unit } = map;
  const nearness = unit === "metres" ? values.map((metres) => 1 / Math.max(NEAREST_METRES, metres)) : values;
  const { minimum, maximum } = rangeOf({ width, height, values: nearness });
  const scale = maximum > minimum ? 255 / (maximum - minimum) : 0;
  const data = Uint8Array.from(nearness, (value) => toByte((value - minimum) * scale));
  return { data, width, height, channels: 1 };
}
