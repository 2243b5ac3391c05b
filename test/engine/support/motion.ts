// The tiny graphs of bodies and motion of test/reference/motion, and the pictures they were shown.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openFolder } from "./load.ts";

export const MOTION = join(import.meta.dir, "../../reference/motion");
export const motionJson = <T>(name: string): T => JSON.parse(readFileSync(join(MOTION, `${name}.json`), "utf8"));
export const openMotion = (family: string) => openFolder(join(MOTION, family));

export const frameFile = (at: number) => new Uint8Array(readFileSync(join(MOTION, `frames/${at}.png`)));
/** Addresses of frames, and what is behind them. */
export const framesShown = {
  urls: (...frames: number[]) => frames.map((at) => `https://example.org/${at}.png`),
  media: async (url: string) => frameFile(Number(/(\d+)\.png/.exec(url)?.[1])),
};
