// Speech of a formant synthesiser through every format, in and out: what comes back is what went in.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sound } from "../../../src/engine/media/channels.ts";
import { encodeSound, soundFormats } from "../../../src/engine/media/encode-sound.ts";
import { readSound } from "../../../src/engine/media/sound.ts";
import { decodeWav } from "../../../src/engine/media/wav.ts";
import { soundConverter } from "../../../src/engine/runner/convert-sound.ts";
import { resample } from "../../../src/engine/tensor/resample.ts";

setDefaultTimeout(60_000);

const [espeak, ffmpeg] = [Bun.which("espeak-ng"), Bun.which("ffmpeg")];
const hasTools = espeak !== null && ffmpeg !== null;
const RATE = 16_000;

const folder = mkdtempSync(join(tmpdir(), "forecourt-sound-"));
let original: Sound = { samples: new Float32Array(), rate: RATE };
beforeAll(() => {
  if (!espeak) return;
  const path = join(folder, "speech.wav");
  const text = "The quick brown fox jumps over the lazy dog, and nobody was there to see it.";
  expect(Bun.spawnSync([espeak, "-v", "en-us", "-w", path, text]).exitCode).toBe(0);
  original = decodeWav(new Uint8Array(readFileSync(path))) ?? original;
  expect(original.samples.length).toBeGreaterThan(2 * original.rate);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Codecs delay a little: the best of all shifts of up to 80 ms. */
function likeness(a: Sound, b: Sound): number {
  const [x, y] = [resample(a, RATE), resample(b, RATE)];
  let best = -1;
  for (let shift = -1280; shift <= 1280; shift += 2) {
    let [xy, xx, yy] = [0, 0, 0];
    for (let i = 2000; i < Math.min(x.length, 34_000); i += 5) {
      const [p, q] = [x[i] ?? 0, y[i + shift] ?? 0];
      xy += p * q;
      xx += p * p;
      yy += q * q;
    }
    best = Math.max(best, xy / Math.sqrt(xx * yy));
  }
  return best;
}

const reading = (bytes: Uint8Array, more: { longestSoundSeconds?: number; withoutPrograms?: true } = {}) =>
  readSound({
    task: {
      media: async () => bytes,
      ...(ffmpeg && !more.withoutPrograms && { convertSound: soundConverter({ program: ffmpeg, folder }) }),
      ...(more.longestSoundSeconds !== undefined && { longestSoundSeconds: more.longestSoundSeconds }),
    },
    url: "sound",
    field: "audio_url",
  });

/** By ffmpeg's names of endings and codecs. */
const transcoded = [
  ["wav", "pcm_s16le", []],
  ["wav", "pcm_f32le", ["-ac", "2"]],
  ["mp3", "libmp3lame", []],
  ["mp3", "libmp3lame", ["-ac", "2", "-ar", "44100"]],
  ["flac", "flac", []],
  ["flac", "flac", ["-ac", "2", "-ar", "48000"]],
  ["ogg", "libopus", []],
  ["ogg", "libvorbis", ["-ac", "2"]],
  ["webm", "libopus", []],
  ["webm", "libopus", ["-ac", "2"]],
  ["m4a", "aac", []],
] as const;

function transcode([ending, codec, options]: (typeof transcoded)[number]): Uint8Array {
  const path = join(folder, `other.${ending}`);
  const command = ["-y", "-v", "error", "-i", join(folder, "speech.wav"), "-c:a", codec, ...options, path];
  expect(Bun.spawnSync([ffmpeg ?? "", ...command]).exitCode).toBe(0);
  return new Uint8Array(readFileSync(path));
}

for (const format of transcoded) {
  test.skipIf(!hasTools)(`${format.flat().join(" ")} is read`, async () => {
    const sound = await reading(transcode(format));
    expect(likeness(original, sound)).toBeGreaterThan(0.97);
    expect(Math.abs(sound.samples.length / sound.rate - original.samples.length / original.rate)).toBeLessThan(0.1);
  });
}

for (const format of soundFormats) {
  test.skipIf(!hasTools)(`${format} is written so that others read it`, async () => {
    const { bytes, ending } = await encodeSound(original, format);
    const [from, to] = [join(folder, `ours.${ending}`), join(folder, "back.wav")];
    writeFileSync(from, bytes);
    const raw = format === "pcm" ? ["-f", "s16le", "-ar", String(original.rate), "-ac", "1"] : [];
    const command = ["-y", "-v", "error", "-xerror", ...raw, "-i", from, "-c:a", "pcm_s16le", to];
    const done = Bun.spawnSync([ffmpeg ?? "", ...command]);
    expect(done.stderr.toString()).toBe("");
    const back = decodeWav(new Uint8Array(readFileSync(to)));
    if (!back) throw new Error("ffmpeg gave no WAV file");
    expect(likeness(original, back)).toBeGreaterThan(0.97);
    if (format === "flac" || format === "wav") expect(back.samples).toEqual(original.samples);
    if (format !== "pcm")
      expect(likeness(original, await reading(bytes, { withoutPrograms: true }))).toBeGreaterThan(0.97);
  });
}

for (const format of soundFormats) {
  test.skipIf(!hasTools)(`${format} in stereo keeps left and right apart`, async () => {
    const { samples } = original;
    const reversed = samples.toReversed();
    const { bytes, ending } = await encodeSound({ channels: [samples, reversed], rate: original.rate }, format);
    const from = join(folder, `stereo.${ending}`);
    writeFileSync(from, bytes);
    const raw = format === "pcm" ? ["-f", "s16le", "-ar", String(original.rate), "-ac", "2"] : [];
    for (const [side, wanted] of [samples, reversed].entries()) {
      const to = join(folder, `side-${side}.wav`);
      const one = ["-af", `pan=mono|c0=c${side}`, "-c:a", "pcm_s16le", to];
      const done = Bun.spawnSync([ffmpeg ?? "", "-y", "-v", "error", "-xerror", ...raw, "-i", from, ...one]);
      expect(done.stderr.toString()).toBe("");
      const back = decodeWav(new Uint8Array(readFileSync(to)));
      if (!back) throw new Error("ffmpeg gave no WAV file");
      expect(likeness({ samples: wanted, rate: original.rate }, back)).toBeGreaterThan(0.97);
      if (format === "flac" || format === "wav") expect(back.samples).toEqual(wanted);
    }
  });
}

test("a FLAC file whose last block is silence is read to its end", async () => {
  const path = join(import.meta.dir, "../../reference/music/basic-pitch/piece.flac");
  const { samples } = await reading(new Uint8Array(readFileSync(path)), { withoutPrograms: true });
  expect(samples.length).toBe(5.8 * 22_050);
});

test("an Ogg file that is cut off ends where its last whole page does", async () => {
  const { bytes } = await encodeSound({ samples: new Float32Array(6 * RATE).fill(0.1), rate: RATE }, "opus");
  const { samples, rate } = await reading(bytes.subarray(0, bytes.length - 20), { withoutPrograms: true });
  expect(samples.length / rate).toBeGreaterThan(4.9);
  expect(samples.length / rate).toBeLessThan(6);
});

test("a file of few bytes that claims 255 channels is left to the program", async () => {
  const { bytes } = await encodeSound({ samples: new Float32Array(RATE), rate: RATE }, "opus");
  const claimed = bytes.slice();
  claimed[37] = 255;
  await expect(reading(claimed, { withoutPrograms: true })).rejects.toThrow(/Failed to load the audio/);
});

test.each(["wav", "flac"] as const)("reading a long %s ends with its request", async (format) => {
  const { bytes } = await encodeSound({ samples: new Float32Array(1800 * RATE), rate: RATE }, format);
  const stop = new AbortController();
  const reason = new Error("cancelled");
  setImmediate(() => stop.abort(reason));
  const task = { media: async () => bytes };
  const read = readSound({ task, url: "sound", field: "audio_url", rate: 48_000, signal: stop.signal });
  await expect(read).rejects.toBe(reason);
});

for (const ending of ["wav", "flac", "mp3", "opus"] as const) {
  test(`${ending} is resampled while it is read`, async () => {
    const tone = Float32Array.from({ length: 2 * 44_100 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 44_100));
    const { bytes } = await encodeSound({ samples: tone, rate: 44_100 }, ending);
    const task = { media: async () => bytes };
    const sound = await readSound({ task, url: "sound", field: "audio_url", rate: RATE });
    expect(sound.rate).toBe(RATE);
    expect(Math.abs(sound.samples.length - 2 * RATE)).toBeLessThan(0.1 * RATE);
    const second = sound.samples.subarray(RATE / 2, (3 * RATE) / 2);
    expect(Math.sqrt(second.reduce((sum, value) => sum + value ** 2, 0) / RATE)).toBeCloseTo(0.5 / Math.SQRT2, 1);
    const crossings = second.filter((value, i) => i > 0 && value >= 0 && (second[i - 1] ?? 0) < 0).length;
    expect(Math.abs(crossings - 440)).toBeLessThanOrEqual(1);
  });
}

test("an MP3 file has the rate of its sound, a telephone's too", async () => {
  for (const rate of [8000, 11_025, 22_050]) {
    const { bytes } = await encodeSound({ samples: new Float32Array(rate).fill(0.1), rate }, "mp3");
    expect((await reading(bytes, { withoutPrograms: true })).rate).toBe(rate);
  }
});

test.skipIf(!hasTools)("AAC without the program for it says what to do", async () => {
  const refused = reading(transcode(["m4a", "aac", []] as const), { withoutPrograms: true });
  await expect(refused).rejects.toThrow(/ffmpeg, which is not installed/);
});

test("what is no sound is refused with the field's name", async () => {
  for (const bytes of [
    new Uint8Array(100),
    new TextEncoder().encode("OggS, but no more than that"),
    Uint8Array.of(0xff, 0xfb),
  ])
    await expect(reading(bytes)).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "audio_url"], type: "audio_load_error" }],
    });
});

test("a small file with much silence is refused while it is read", async () => {
  const { bytes } = await encodeSound({ samples: new Float32Array(1200 * 8000), rate: 8000 }, "flac");
  expect(bytes.length).toBeLessThan(100_000);
  await expect(reading(bytes, { longestSoundSeconds: 60 })).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ type: "audio_duration_too_long", ctx: { max_duration: 60 } }],
  });
});
