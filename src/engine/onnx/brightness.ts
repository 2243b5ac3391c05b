// The brightness of one picture with the colours of another.
import type { Pixels } from "../../core/pipeline.ts";
import { resize } from "../tensor/resize.ts";
import { toByte } from "../tensor/tiles.ts";
import { brightness } from "./inputs/planes.ts";

/** `grey` has one channel; the colours are enlarged or shrunk to its size. Differences of colour, as in YCbCr, are kept. */
export async function withColours(grey: Pixels, colours: Pixels): Promise<Pixels> {
  const { width, height } = grey;
  const given = await resize(colours, { width, height, kernel: "bicubic" });
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const from = i * given.channels;
    const shift = given.channels === 1 ? 0 : (grey.data[i] ?? 0) - brightness(given.data, from);
    for (let c = 0; c < 3; c++) {
      const value = given.channels === 1 ? (grey.data[i] ?? 0) : (given.data[from + c] ?? 0);
      data[i * 3 + c] = toByte(value + shift);
    }
  }
  return { data, width, height, channels: 3 };
}
