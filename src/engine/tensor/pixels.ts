// Between pictures (8-bit, interleaved) and what graphs see of them (floats, one plane for each colour).
import type { Pixels } from "../../core/pipeline.ts";
import { inPieces, type Pause } from "../pause.ts";

type Size = { width: number; height: number };

/** RGB planes in [-1, 1] as pixels; values beyond are clamped. */
export function planesToPixels(planes: Float32Array, { width, height }: Size): Pixels {
  const area = width * height;
  const data = new Uint8Array(area * 3);
  for (let i = 0; i < area; i++) {
    for (let channel = 0; channel < 3; channel++) data[i * 3 + channel] = toByte(planes[channel * area + i] ?? 0);
  }
  return { data, width, height, channels: 3 };
}

const toByte = (value: number) => Math.round(Math.min(1, Math.max(0, value / 2 + 0.5)) * 255);

/** A copy in RGB: grey is repeated, transparency dropped. */
export async function rgbOf({ data, width, height, channels }: Pixels, pause: Pause): Promise<Pixels> {
  const rgb = new Uint8Array(width * height * 3);
  await inPieces({ rows: height, size: width, pause }, (top, bottom) => {
    for (let i = top * width; i < bottom * width; i++)
      for (let channel = 0; channel < 3; channel++)
        rgb[i * 3 + channel] = data[i * channels + (channels === 1 ? 0 : channel)] ?? 0;
  });
  return { data: rgb, width, height, channels: 3 };
}

/** For each colour: (value · scale - mean) / deviation, as preprocessor_config.json describes it. */
export type Normalisation = { scale: number; mean: readonly number[]; deviation: readonly number[] };

/** RGB planes of a picture; alpha is dropped and grey is repeated. */
export function pixelsToPlanes({ data, width, height, channels }: Pixels, how: Normalisation): Float32Array {
  const area = width * height;
  const planes = new Float32Array(area * 3);
  for (let channel = 0; channel < 3; channel++) {
    const { scale, mean, deviation } = { ...how, mean: how.mean[channel] ?? 0, deviation: how.deviation[channel] ?? 1 };
    const from = channels === 1 ? 0 : channel;
    for (let i = 0; i < area; i++) {
      planes[channel * area + i] = ((data[i * channels + from] ?? 0) * scale - mean) / deviation;
    }
  }
  return planes;
}
