// The tiny vision models of test/reference/vision, the picture they were shown, and how far two pictures are apart.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { openFolder } from "./load.ts";

const REFERENCE = join(import.meta.dir, "../../reference/vision");
const codec = createCodec();

export const fileOf = (path: string) => new Uint8Array(readFileSync(join(REFERENCE, path)));
export const casesOf = <Cases>(family: string): Cases =>
  JSON.parse(readFileSync(join(REFERENCE, family, "cases.json"), "utf8"));
export const openFamily = (family: string) => openFolder(join(REFERENCE, family));

/** For a run's `media`: whatever is asked for is this file. */
export const shown = (path: string) => async (): Promise<Uint8Array> => fileOf(path);
export const pictureOf = (path: string) => codec.decode(fileOf(path));
export const decode = (bytes: Uint8Array | undefined) => codec.decode(bytes ?? new Uint8Array());

/** Of the colours, and of the transparency where both have one: the largest and the mean difference, in steps of 255. */
export function apart(a: Pixels, b: Pixels): { most: number; mean: number } {
  if (a.width !== b.width || a.height !== b.height) throw new Error("pictures of different sizes");
  const shared = a.channels === b.channels ? a.channels : 3;
  let [most, sum] = [0, 0];
  for (let i = 0; i < a.width * a.height; i++)
    for (let c = 0; c < shared; c++) {
      const difference = Math.abs((a.data[i * a.channels + c] ?? NaN) - (b.data[i * b.channels + c] ?? NaN));
      most = Math.max(most, difference);
      sum += difference;
    }
  return { most, mean: sum / (a.width * a.height * shared) };
}
