// Pictures that move, frame by frame, against what Pillow reads from the same files.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { readFrames } from "../../../src/engine/media/frames.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { MOTION } from "../support/motion.ts";

const codec = createCodec();
const fileOf = (name: string) => new Uint8Array(readFileSync(join(MOTION, "films", name)));

async function framesOf(bytes: Uint8Array) {
  const film = await codec.film(bytes);
  const frames: Pixels[] = [];
  for await (const frame of film.read()) frames.push(frame);
  return { ...film, frames };
}

/** What shows: colours weighed by how much of them does. */
const shown = ({ data, channels }: Pixels, at: number) => {
  const alpha = channels === 4 ? (data[at * 4 + 3] ?? 0) : 255;
  return [0, 1, 2].map((c) => ((data[at * channels + c] ?? 0) * alpha) / 255).concat(alpha);
};

test.each([
  ["film.png", [40, 80, 40, 100, 120]],
  ["film.webp", [40, 40, 40, 40, 40]],
  ["film.gif", [40, 100, 200, 40, 40]],
])("%s has Pillow's frames, and their times", async (name, wanted) => {
  const { count, delays, frames } = await framesOf(fileOf(name));
  expect({ count, delays }).toEqual({ count: wanted.length, delays: wanted });
  const below = await codec.decode(fileOf(`${name}-frames.png`));
  expect(frames).toHaveLength(count);
  for (const [i, frame] of frames.entries()) {
    expect(frame).toMatchObject({ width: 32, height: 24 });
    const size = 32 * 24;
    for (let at = 0; at < size; at++)
      for (const [c, value] of shown(frame, at).entries())
        if (!(Math.abs(value - (shown(below, i * size + at)[c] ?? NaN)) < 3))
          throw new Error(
            `frame ${i}, pixel ${at % 32}, ${Math.floor(at / 32)}: ${shown(frame, at)}, not ${shown(below, i * size + at)}`,
          );
  }
});

test("a picture that does not move is a film of one frame", async () => {
  const bytes = fileOf("film.gif-frames.png");
  const { count, frames } = await framesOf(bytes);
  expect(count).toBe(1);
  expect(frames).toEqual([await codec.decode(bytes)]);
});

const read = async (bytes: Uint8Array) => {
  const task = { input: { image_url: "film", max_frames: 100 }, media: async () => bytes };
  const { read } = await readFrames({ task, codec, signal: new AbortController().signal });
  const frames: unknown[] = [];
  for await (const frame of read()) frames.push(frame);
  return frames.length;
};

test.each(["film.png", "film.webp", "film.gif"])(
  "%s is refused wherever it is cut off, with the field's name",
  async (name) => {
    const whole = fileOf(name);
    expect(await read(whole)).toBe(5);
    for (let length = 0; length < whole.length; length++)
      await expect(read(whole.slice(0, length)), `${length} of ${whole.length} bytes`).rejects.toMatchObject({
        code: "invalid_input",
        problems: [{ loc: ["body", "image_url"], type: "image_load_error" }],
      });
  },
);

test("a GIF that is cut off is no picture either, and what comes after its end does not matter", async () => {
  const whole = fileOf("film.gif");
  const first = await codec.decode(whole);
  expect(await codec.decode(new Uint8Array([...whole, 1, 2, 3]))).toEqual(first);
  await expect(codec.decode(whole.slice(0, -1))).rejects.toThrow("the GIF is cut off before its end");
});

test("an animated PNG with fewer frames than it announces is refused", async () => {
  const bytes = fileOf("film.png");
  const announced = Buffer.from(bytes).indexOf("acTL") + 4;
  bytes[announced + 3] = 6;
  await expect(codec.film(bytes)).rejects.toThrow("the animated PNG is broken");
});

test("what is not a picture is no film", async () => {
  await expect(codec.film(new TextEncoder().encode("<svg/>"))).rejects.toMatchObject({ code: "invalid_input" });
});
