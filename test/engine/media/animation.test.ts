// Pictures that move, as they are written: what is read of them again is what was given, for as long as it was to be shown.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AnimationFormat, Pixels } from "../../../src/core/pipeline.ts";
import { expectWritable } from "../../../src/engine/media/saved-video.ts";
import { encodeAnimation } from "../../../src/engine/media/video/encode-animation.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";

const codec = createCodec();
const [width, height] = [96, 64];

/** A disc that wanders over a ground of two colour gradients. */
function picture(at: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isDisc = (x - 20 - at * 5) ** 2 + (y - 32) ** 2 < 144;
      data.set(isDisc ? [230, 40, 60] : [(x * 200) / width, (y * 220) / height, 120], (y * width + x) * 3);
    }
  return { data, width, height, channels: 3 };
}

const pictures = Array.from({ length: 12 }, (_, at) => picture(at));
const encoded = (format: AnimationFormat, fps: number) =>
  encodeAnimation(pictures, { fps, format, codec, pause: createPause(undefined) });

function meanDifference(a: Pixels, b: Pixels): number {
  let sum = 0;
  for (let at = 0; at < width * height; at++)
    for (let c = 0; c < 3; c++)
      sum += Math.abs((a.data[at * a.channels + c] ?? 0) - (b.data[at * b.channels + c] ?? 0));
  return sum / (width * height * 3);
}

/** 256 colours and the best quality of what is lossy are this near, in 255 levels. */
test.each<[AnimationFormat, number]>([
  ["gif", 6],
  ["webp", 3],
])("a %s has all frames in order, and each its time", async (format, near) => {
  const video = await encoded(format, 8);
  expect(video).toMatchObject({ width, height, fps: 8, duration: 1.5, frames: 12, contentType: `image/${format}` });
  const film = await codec.film(video.bytes);
  const frames = await Array.fromAsync(film.read());
  expect(frames).toHaveLength(12);
  for (const [at, frame] of frames.entries()) {
    const others = pictures.map((each) => meanDifference(frame, each));
    expect(others[at]).toBeLessThan(near);
    expect(others.indexOf(Math.min(...others))).toBe(at);
  }
  // An eighth of a second is twelve and a half of GIF's ticks: nothing adds up.
  expect(film.delays.reduce((sum, each) => sum + each)).toBe(1500);
  expect(Math.max(...film.delays) - Math.min(...film.delays)).toBeLessThanOrEqual(format === "gif" ? 10 : 0);
});

test.skipIf(!Bun.which("ffmpeg"))("ffmpeg reads a GIF's frames and times", async () => {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-gif-"));
  const path = join(folder, "video.gif");
  writeFileSync(path, (await encoded("gif", 8)).bytes);
  const words = ["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames,duration", "-of", "csv=p=0"];
  const { stdout } = Bun.spawnSync(["ffprobe", ...words, path]);
  rmSync(folder, { recursive: true });
  expect(stdout.toString().trim()).toBe("1.500000,12");
});

test("it begins anew at its end", async () => {
  const text = new TextDecoder("latin1");
  const gif = text.decode((await encoded("gif", 8)).bytes);
  expect(gif).toContain("NETSCAPE2.0\x03\x01\0\0\0");
  const webp = (await encoded("webp", 8)).bytes;
  const at = text.decode(webp).indexOf("ANIM");
  // Behind the chunk's length and the ground's colour: how often.
  expect([...webp.subarray(at + 12, at + 14)]).toEqual([0, 0]);
});

test("what cannot be written is refused before anything is made", () => {
  const planned = { width: 1024, height: 576, fps: 8, frames: 16 };
  for (const type of ["X264 (.mp4)", "GIF (.gif)", "WEBP (.webp)"] as const) expectWritable(type, planned);
  const problem = { code: "invalid_input" };
  const refused = (call: () => void) => expect(Promise.try(call)).rejects.toMatchObject(problem);
  return Promise.all([
    refused(() => expectWritable("GIF (.gif)", { ...planned, fps: 60 })),
    refused(() => expectWritable("WEBP (.webp)", { ...planned, frames: 1000 })),
    refused(() => expectWritable("WEBP (.webp)", { ...planned, width: 20_000, height: 16 })),
    refused(() => expectWritable("X264 (.mp4)", { ...planned, width: 8, height: 8 })),
  ]);
});
