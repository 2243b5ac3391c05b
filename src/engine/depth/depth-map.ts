// How far each pixel of a picture is, as numbers and as the picture that people and ControlNets look at.
import type { Pixels } from "../../core/pipeline.ts";
import { inPieces, type Pause } from "../pause.ts";
import type { Plane } from "../tensor/interpolate.ts";
import { toByte } from "../tensor/tiles.ts";

/** `metres`: distances. `nearness`: the nearer the greater, in a measure of each picture's own (MiDaS, Depth Anything). */
export type DepthUnit = "metres" | "nearness";
/** One value for each pixel. */
export type DepthMap = Plane & { unit: DepthUnit };

export async function rangeOf({ values, width, height }: Plane, pause: Pause) {
  let [minimum, maximum] = [Infinity, -Infinity];
  await inPieces({ rows: height, size: width, pause }, (top, bottom) => {
    for (let at = top * width; at < bottom * width; at++) {
      const value = values[at] ?? Number.NaN;
      [minimum, maximum] = [Math.min(minimum, value), Math.max(maximum, value)];
    }
  });
  return { minimum, maximum };
}

/** Nearer than this many metres counts as this near: Depth Pro's own pictures end there. */
const NEAREST_METRES = 0.1;

/** Grey: the nearest pixel white, the farthest black; of distances their inverse, so that what is near is told apart. */
export async function depthPicture(map: DepthMap, pause: Pause): Promise<Pixels> {
  const { width, height, values, unit } = map;
  const nearness = unit === "metres" ? new Float32Array(values.length) : values;
  const whole = { rows: height, size: width, pause };
  if (unit === "metres")
    await inPieces(whole, (top, bottom) => {
      for (let at = top * width; at < bottom * width; at++)
        nearness[at] = 1 / Math.max(NEAREST_METRES, values[at] ?? 0);
    });
  const { minimum, maximum } = await rangeOf({ width, height, values: nearness }, pause);
  const scale = maximum > minimum ? 255 / (maximum - minimum) : 0;
  const data = new Uint8Array(width * height);
  await inPieces(whole, (top, bottom) => {
    for (let at = top * width; at < bottom * width; at++) data[at] = toByte(((nearness[at] ?? 0) - minimum) * scale);
  });
  return { data, width, height, channels: 1 };
}
