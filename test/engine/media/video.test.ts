// Videos out and in: what is written is what ffmpeg reads, and what ffmpeg writes is read frame by frame as ffmpeg itself reads it.
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ForecourtError } from "../../../src/core/errors.ts";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { encodeVideo } from "../../../src/engine/media/video/encode-video.ts";
import { readVideo, type VideoBounds } from "../../../src/engine/media/video/read-video.ts";
import { fromYuv } from "../../../src/engine/media/video/yuv.ts";
import { createPause } from "../../../src/engine/pause.ts";

setDefaultTimeout(120_000);

const [ffmpeg, ffprobe] = [Bun.which("ffmpeg"), Bun.which("ffprobe")];
const hasTools = ffmpeg !== null && ffprobe !== null;
const folder = mkdtempSync(join(tmpdir(), "forecourt-video-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pause = createPause(undefined);

/** A disc that wanders over a ground of two colour gradients. */
function picture({ width, height }: { width: number; height: number }, at: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isDisc = (x - width / 4 - at * 3) ** 2 + (y - height / 2) ** 2 < (height / 5) ** 2;
      data.set(isDisc ? [230, 40, 60] : [(x * 200) / width, (y * 220) / height, 120], (y * width + x) * 3);
    }
  return { data, width, height, channels: 3 };
}

const pictures = (size: { width: number; height: number }, count: number) =>
  Array.from({ length: count }, (_, at) => picture(size, at));

function run(program: string | null, words: string[]): Buffer {
  const { exitCode, stdout, stderr } = Bun.spawnSync([program ?? "", "-v", "error", ...words]);
  expect(stderr.toString()).toBe("");
  expect(exitCode).toBe(0);
  return stdout;
}

const rawFrames = (path: string, more: string[] = []) =>
  run(ffmpeg, ["-i", path, ...more, "-pix_fmt", "rgb24", "-f", "rawvideo", "-fps_mode", "passthrough", "-"]);

const meanDifference = (a: Uint8Array, b: Uint8Array) => {
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
};

describe("what is written", () => {
  test.skipIf(!hasTools)("is an MP4 of H.264 with its size, its frames, its rate and its colours", async () => {
    const frames = pictures({ width: 96, height: 64 }, 12);
    const video = await encodeVideo(frames, { fps: 7.5, pause });
    expect(video).toMatchObject({ width: 96, height: 64, fps: 7.5, duration: 1.6, frames: 12 });
    const path = join(folder, "written.mp4");
    writeFileSync(path, video.bytes);
    const told = run(ffprobe, ["-show_streams", "-show_format", "-count_frames", "-of", "json", path]);
    const { streams, format } = JSON.parse(told.toString());
    expect(streams[0]).toMatchObject({
      codec_name: "h264",
      pix_fmt: "yuv420p",
      width: 96,
      height: 64,
      avg_frame_rate: "15/2",
      nb_read_frames: "12",
      color_range: "tv",
      color_space: "bt709",
    });
    expect(format.format_name).toContain("mp4");
    expect(Number(format.duration)).toBeCloseTo(1.6, 3);
    // The table of contents comes before the frames: a browser begins to play at once.
    expect(video.bytes.indexOf("moov".charCodeAt(0))).toBeLessThan(Buffer.from(video.bytes).indexOf("mdat"));
    const read = rawFrames(path);
    for (const [at, { data }] of frames.entries())
      expect(meanDifference(data, read.subarray(at * data.length, (at + 1) * data.length))).toBeLessThan(3);
  });

  test.skipIf(!hasTools)("has the colours that were given", async () => {
    const colours = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [255, 255, 255],
      [0, 0, 0],
      [128, 64, 200],
      [90, 90, 90],
    ];
    const frames = colours.map((colour) => {
      const data = new Uint8Array(32 * 32 * 3).map((_, i) => colour[i % 3] ?? 0);
      return { data, width: 32, height: 32, channels: 3 as const };
    });
    const path = join(folder, "colours.mp4");
    writeFileSync(path, (await encodeVideo(frames, { fps: 1, pause })).bytes);
    const read = rawFrames(path);
    for (const [at, colour] of colours.entries()) {
      const middle = at * 32 * 32 * 3 + (16 * 32 + 16) * 3;
      for (const [channel, value] of colour.entries())
        expect(Math.abs((read[middle + channel] ?? 0) - value)).toBeLessThanOrEqual(3);
    }
  });

  test("gets its last row and column twice where its sides are odd", async () => {
    const video = await encodeVideo(pictures({ width: 33, height: 21 }, 3), { fps: 8, pause });
    expect(video).toMatchObject({ width: 34, height: 22 });
    const read = await framesOf(video.bytes);
    expect(read.map(({ pixels: { width, height } }) => [width, height])).toEqual(Array(3).fill([34, 22]));
  });

  test("is the same for the same frames", async () => {
    const [one, other] = [
      await encodeVideo(pictures({ width: 64, height: 48 }, 5), { fps: 8, pause }),
      await encodeVideo(pictures({ width: 64, height: 48 }, 5), { fps: 8, pause }),
    ];
    const frames = [await framesOf(one.bytes), await framesOf(other.bytes)];
    expect(frames[0]).toEqual(frames[1] ?? []);
  });

  test("ends at once when it is cancelled", async () => {
    const cancelling = new AbortController();
    let given = 0;
    async function* endless() {
      for (;;) {
        if (++given === 3) cancelling.abort(new Error("cancelled by the caller"));
        yield picture({ width: 640, height: 360 }, given);
      }
    }
    const encoding = encodeVideo(endless(), { fps: 8, pause: createPause(cancelling.signal) });
    await expect(encoding).rejects.toThrow("cancelled by the caller");
    expect(given).toBeLessThan(50);
  });

  test("is refused for sizes that H.264 does not have", async () => {
    const frames = [{ data: new Uint8Array(8 * 8 * 3), width: 8, height: 8, channels: 3 as const }];
    await expect(encodeVideo(frames, { fps: 8, pause })).rejects.toThrow("a video of 8x8 cannot be written as H.264");
  });
});

const BOUNDS: VideoBounds = { longestSeconds: 60, mostPixels: 1920 * 1080, mostFrames: 1000 };

const opened = (bytes: Uint8Array, bounds: Partial<VideoBounds> = {}) =>
  readVideo({
    task: { media: async () => bytes },
    url: "video",
    field: "video_url",
    bounds: { ...BOUNDS, ...bounds },
    signal: new AbortController().signal,
  });

const framesOf = async (bytes: Uint8Array, bounds: Partial<VideoBounds> = {}) =>
  await Array.fromAsync((await opened(bytes, bounds)).frames());

const problemOf = async (reading: Promise<unknown>) => {
  const failed = await reading.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toBeInstanceOf(ForecourtError);
  const { code, problems } = failed as ForecourtError;
  expect(code).toBe("invalid_input");
  expect(problems?.[0]?.loc).toEqual(["body", "video_url"]);
  return problems?.[0];
};

/** A moving test picture of ffmpeg's, coded by it. */
function coded(name: string, words: string[], source = "testsrc2=size=160x120:rate=12:duration=2.5"): string {
  const path = join(folder, name);
  run(ffmpeg, ["-y", "-f", "lavfi", "-i", source, ...words, path]);
  return path;
}

/** Of frames between others OpenH264 smooths edges a little otherwise than the standard: levels of 255, on average. */
const B_FRAMES = 1;

/** By ffmpeg's names; what has no difference is the same in every bit. */
const readable: [name: string, words: string[], meanDifference?: number][] = [
  ["baseline.mp4", ["-c:v", "libx264", "-profile:v", "baseline", "-pix_fmt", "yuv420p"]],
  ["main.mov", ["-c:v", "libx264", "-profile:v", "main", "-pix_fmt", "yuv420p", "-bf", "2"], B_FRAMES],
  ["high.mp4", ["-c:v", "libx264", "-preset", "slow", "-pix_fmt", "yuv420p", "-bf", "3", "-refs", "4"], B_FRAMES],
  ["fragmented.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "frag_keyframe+empty_moov"], B_FRAMES],
  ["h264.mkv", ["-c:v", "libx264", "-pix_fmt", "yuv420p"], B_FRAMES],
  ["vp8.webm", ["-c:v", "libvpx", "-b:v", "800k", "-auto-alt-ref", "1"]],
  ["vp9.webm", ["-c:v", "libvpx-vp9", "-b:v", "800k", "-pix_fmt", "yuv420p"]],
  ["vp9.mp4", ["-c:v", "libvpx-vp9", "-b:v", "800k", "-pix_fmt", "yuv420p"]],
];

type Place = { width: number; height: number; at: number };

/** A frame of raw planes; what says nothing of its colours is BT.601 at this size. */
function inColour(raw: Uint8Array, { width, height, at }: Place): Uint8Array {
  const pixels = width * height;
  const plane = (from: number, length: number) =>
    raw.subarray(at * pixels * 1.5 + from, at * pixels * 1.5 + from + length);
  const planes = [plane(0, pixels), plane(pixels, pixels / 4), plane(pixels * 1.25, pixels / 4)] as const;
  const strides = [width, width / 2, width / 2] as const;
  return fromYuv({ planes, strides, width, height }, { matrix: "bt601", isFullRange: false }).data;
}

describe.skipIf(!hasTools)("what is read", () => {
  test.each(readable)("of %s is every frame, in order, as ffmpeg reads it", async (name, words, difference = 0) => {
    const path = coded(name, words);
    const video = await opened(readFileSync(path));
    expect(video).toMatchObject({ width: 160, height: 120 });
    // Of a fragmented file ffmpeg makes the last frame longer.
    expect(Math.abs(video.fps - 12)).toBeLessThan(1);
    expect(Math.abs(video.duration - 2.5)).toBeLessThan(0.2);
    const frames = await Array.fromAsync(video.frames());
    expect(frames.length).toBe(30);
    for (const [at, { seconds }] of frames.entries()) expect(seconds).toBeCloseTo(at / 12, 1);
    const expected = run(ffmpeg, [
      "-i",
      path,
      "-pix_fmt",
      "yuv420p",
      "-f",
      "rawvideo",
      "-fps_mode",
      "passthrough",
      "-",
    ]);
    for (const [at, { pixels }] of frames.entries())
      expect(meanDifference(pixels.data, inColour(expected, { ...video, at }))).toBeLessThanOrEqual(difference);
  });

  test("is upright where the camera was not", async () => {
    const path = coded("turned.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-frames:v", "3"]);
    const turned = join(folder, "turned-90.mp4");
    run(ffmpeg, ["-y", "-i", path, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned]);
    const video = await opened(readFileSync(turned));
    expect(video).toMatchObject({ width: 120, height: 160 });
    const [first] = await Array.fromAsync(video.frames());
    const expected = rawFrames(turned, ["-vf", "scale=in_color_matrix=bt601:flags=neighbor+accurate_rnd"]);
    const { data = new Uint8Array() } = first?.pixels ?? {};
    expect(meanDifference(data, expected.subarray(0, data.length))).toBeLessThan(2);
  });

  test("is what was written by ourselves", async () => {
    const frames = pictures({ width: 96, height: 64 }, 6);
    const read = await framesOf((await encodeVideo(frames, { fps: 5, pause })).bytes);
    expect(read.map(({ seconds }) => seconds)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    for (const [at, { pixels }] of read.entries())
      expect(meanDifference(pixels.data, frames[at]?.data ?? new Uint8Array())).toBeLessThan(3);
  });

  test.each([
    ["hevc.mp4", ["-c:v", "libx265", "-x265-params", "log-level=none"], "its pictures are coded as hevc"],
    ["ten-bits.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p10le"], "in the profile High 10"],
    ["444.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv444p"], "in the profile High 4:4:4"],
    ["mpeg4.mp4", ["-c:v", "mpeg4"], "coded as"],
  ] as [string, string[], string][])("of %s is nothing, and the error says why", async (name, words, why) => {
    const problem = await problemOf(opened(readFileSync(coded(name, words))));
    expect(problem?.type).toBe("unsupported_video_format");
    expect(problem?.msg).toContain(why);
    expect(problem?.ctx?.supported_formats).toContain("mp4 (H.264)");
  });

  test("of interlaced H.264 is nothing, and the error says what would be", async () => {
    const bytes = readFileSync(
      coded("interlaced.mp4", ["-c:v", "libx264", "-flags", "+ilme+ildct", "-pix_fmt", "yuv420p"]),
    );
    const problem = await problemOf(framesOf(bytes));
    expect(problem?.msg).toContain("progressive");
  });
});

describe.skipIf(!hasTools)("hostile files", () => {
  test("are refused by their bounds before they are decoded", async () => {
    const bytes = readFileSync(coded("bounds.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p"]));
    expect(await problemOf(opened(bytes, { longestSeconds: 2 }))).toMatchObject({
      type: "video_duration_too_long",
      ctx: { max_duration: 2 },
    });
    expect((await problemOf(opened(bytes, { mostPixels: 160 * 119 })))?.type).toBe("image_too_large");
    expect((await problemOf(opened(bytes, { mostFrames: 29 })))?.type).toBe("sequence_too_long");
  });

  test("that are no videos are named as such", async () => {
    for (const bytes of [
      new Uint8Array(),
      new TextEncoder().encode("hello"),
      crypto.getRandomValues(new Uint8Array(5000)),
    ])
      expect((await problemOf(opened(bytes)))?.type).toBe("unsupported_video_format");
    const sound = coded("sound.mp4", ["-c:a", "aac"], "sine=duration=1");
    expect((await problemOf(opened(readFileSync(sound))))?.msg).toContain("no picture");
  });

  test("whose tables claim billions of frames are refused", async () => {
    const whole = readFileSync(coded("claims.mp4", readable[2]?.[1] ?? [], "testsrc2=size=64x48:rate=10:duration=1"));
    for (const [box, at] of [
      ["stts", 12],
      ["ctts", 12],
      ["stsz", 12],
      ["stsc", 16],
    ] as const) {
      const bytes = Uint8Array.from(whole);
      new DataView(bytes.buffer).setUint32(whole.indexOf(box) + at, 0x7fffffff);
      expect((await problemOf(framesOf(bytes)))?.type).toBe("unsupported_video_format");
      // The same in a table that says to be longer than the file.
      new DataView(bytes.buffer).setUint32(whole.indexOf(box) - 4, 0x00ff0060);
      expect((await problemOf(framesOf(bytes)))?.type).toBe("unsupported_video_format");
    }
  });

  test.each<[string, string[]]>([
    ["faststart.mp4", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]],
    ["clusters.mkv", ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-cluster_time_limit", "200"]],
    ["clusters.webm", ["-c:v", "libvpx", "-cluster_time_limit", "200"]],
  ])("cut off anywhere like %s are refused before a frame is decoded", async (name, words) => {
    const whole = readFileSync(coded(name, words, "testsrc2=size=32x32:rate=5:duration=1"));
    expect(await framesOf(whole)).toHaveLength(5);
    for (let length = 0; length < whole.length; length++)
      expect((await problemOf(opened(whole.subarray(0, length))))?.type, `${length} bytes`).toBe(
        "unsupported_video_format",
      );
    await expect(opened(whole.subarray(0, -1))).rejects.toThrow("the file is cut off before its end");
  });

  test("that were recorded without knowing their length are read", async () => {
    const seen = coded("known.webm", ["-c:v", "libvpx"], "testsrc2=size=32x32:rate=5:duration=1");
    const live = run(ffmpeg, ["-i", seen, "-c", "copy", "-f", "webm", "-live", "1", "-"]);
    expect(await framesOf(live)).toHaveLength(5);
  });

  test.each(["high.mp4", "vp8.webm", "vp9.webm"])(
    "cut or changed anywhere like %s give frames or a clear error",
    async (name) => {
      const [, words = []] = readable.find(([known]) => known === name) ?? [];
      const whole = readFileSync(coded(`hostile-${name}`, words, "testsrc2=size=64x48:rate=10:duration=1"));
      let refused = 0;
      for (let round = 0; round < 60; round++) {
        const isCut = round % 3 === 0;
        const bytes = Uint8Array.from(isCut ? whole.subarray(0, Math.floor((whole.length * (round + 1)) / 61)) : whole);
        // A generator of its own, so that a failure can be looked at again.
        let state = round + 1;
        for (let i = 0; i < (isCut ? 0 : 20); i++) {
          state = (state * 1103515245 + 12345) % 2147483648;
          bytes[state % bytes.length] = (state >> 8) & 255;
        }
        const failed = await framesOf(bytes).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failed === undefined) continue;
        refused++;
        expect(failed).toBeInstanceOf(ForecourtError);
        expect((failed as ForecourtError).problems?.[0]?.loc).toEqual(["body", "video_url"]);
      }
      expect(refused).toBeGreaterThan(0);
    },
  );
});
