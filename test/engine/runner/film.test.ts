// Pictures that move, frame by frame, against what Pillow reads from the same files.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
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

test("broken files are refused before or while they are read, as pictures are", async () => {
  // Of a GIF that is cut off, the frames that are there are shown, as browsers do.
  for (const name of ["film.png", "film.webp"]) {
    const half = fileOf(name).slice(0, fileOf(name).length >> 1);
    const failure = await framesOf(half).catch((error) => error);
    expect({ name, code: failure.code, problems: failure.problems }).toMatchObject({
      name,
      code: "invalid_input",
      problems: [{ type: "image_load_error" }],
    });
  }
  await expect(codec.film(new TextEncoder().encode("<svg/>"))).rejects.toMatchObject({ code: "invalid_input" });
});
