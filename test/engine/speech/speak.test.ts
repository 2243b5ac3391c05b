// A tiny random VITS says the same as in Python's transformers, sentence by sentence and in any format.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeWav } from "../../../src/engine/media/wav.ts";
import { type SpokenSentence, speak } from "../../../src/engine/pipelines/speak.ts";
import { tokenIds } from "../../../src/engine/voice/token-ids.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

type Case = { text: string; voice?: string; ids: number[]; length: number; samples: number[] };

const SPEECH = join(import.meta.dir, "../../reference/speech");
const casesOf = (folder: string): Case[] => JSON.parse(readFileSync(join(SPEECH, folder, "cases.json"), "utf8"));
const assets = openFolder(join(SPEECH, "vits"));
const several = openFolder(join(SPEECH, "vits-speakers"));
const say = (input: Record<string, unknown>, { wantsPartials = false, of = assets } = {}) =>
  runOnce(speak, { assets: of, input, wantsPartials });

for (const { text, voice, ids, length, samples } of [...casesOf("vits"), ...casesOf("vits-speakers")]) {
  test(`"${text}"${voice ? ` by ${voice}` : ""} sounds as in Python`, async () => {
    const of = voice === undefined ? assets : several;
    expect(await tokenIds(await of.transformers("AutoTokenizer"), text)).toEqual(ids);
    const { output, files, units } = await say({ text, ...(voice && { voice }) }, { of });
    const sound = decodeWav(files.get("speech.wav") ?? new Uint8Array());
    if (!sound) throw new Error("it saved no WAV file");
    expect(sound.rate).toBe(16_000);
    expect(sound.samples.length).toBe(length);
    expect(output.duration).toBeCloseTo(length / 16_000, 5);
    // 16 bits of the file, and the last digits of two runtimes.
    for (const [i, value] of samples.entries())
      expect(Math.abs((sound.samples[i * 37] ?? 9) - value)).toBeLessThan(1e-3);
    expect(units).toEqual({ seconds: length / 16_000, characters: text.length, requests: 1 });
  });
}

test("sentences come one by one, and together with pauses between them", async () => {
  const { steps, output } = await say({ text: "Hello there. A small world!\nAnd more" }, { wantsPartials: true });
  const partials = steps.flatMap((step) => (step.type === "partial" ? [step.value] : []));
  const spoken = partials as { text: string; duration: number; audio_url: string }[];
  expect(spoken.map(({ text }) => text)).toEqual(["Hello there.", "A small world!", "And more"]);
  for (const { audio_url } of spoken) expect(audio_url).toStartWith("data:audio/wav;base64,UklGR");
  const sum = spoken.reduce((all, { duration }) => all + duration, 0);
  expect(output.duration).toBeCloseTo(sum + 2 * 0.2, 3);
});

test("sentences one by one are the sound of the whole, also at another rate", async () => {
  const input = { text: "Hello there. A small world!", sample_rate: 24_000, output_format: "pcm" };
  const { steps, output, files } = await say(input, { wantsPartials: true });
  const spoken = steps.flatMap((step) => (step.type === "partial" ? [step.value as SpokenSentence] : []));
  expect(spoken.map(({ sample_rate }) => sample_rate)).toEqual([24_000, 24_000]);
  const sounds = await Promise.all(
    spoken.map(async ({ audio_url }) => (await (await fetch(audio_url)).bytes()).subarray(44)),
  );
  const pause = new Uint8Array(2 * 0.2 * 24_000);
  expect(Buffer.concat([sounds[0] ?? pause, pause, sounds[1] ?? pause])).toEqual(
    Buffer.from(files.get("speech.pcm") ?? pause),
  );
  expect(output).toMatchObject({ sample_rate: 24_000 });
});

test("several voices are listed by number, the first one where none is named", async () => {
  const [first, named] = [
    await say({ text: "why" }, { of: several }),
    await say({ text: "why", voice: "0" }, { of: several }),
  ];
  expect(first.files.get("speech.wav")).toEqual(named.files.get("speech.wav") ?? new Uint8Array());
  await expect(say({ text: "why", voice: "3" }, { of: several })).rejects.toMatchObject({
    problems: [{ loc: ["body", "voice"], msg: expect.stringContaining("0, 1, 2") }],
  });
});

test("faster speech is shorter, and a format is a content type", async () => {
  const [usual, fast] = [await say({ text: "hello there" }), await say({ text: "hello there", speed: 2 })];
  expect(fast.output.duration).toBeCloseTo(usual.output.duration / 2, 2);
  const { output, files } = await say({ prompt: "hello there", output_format: "mp3" });
  expect(output.audio).toMatchObject({ content_type: "audio/mpeg", file_name: "speech.mp3" });
  expect(files.get("speech.mp3")?.length).toBe(output.audio.file_size);
  const byUrl = await say({ text: "hello there", output_format: "url" });
  expect(byUrl.files.get("speech.wav")).toEqual(usual.files.get("speech.wav") ?? new Uint8Array());
});

test("no text and unknown voices are wrong input", async () => {
  await expect(say({ text: "  " })).rejects.toMatchObject({ problems: [{ loc: ["body", "text"], type: "missing" }] });
  await expect(say({ text: "hello", prompt: "why" })).rejects.toMatchObject({
    problems: [{ loc: ["body", "prompt"], msg: expect.stringContaining("give one of them") }],
  });
  expect((await say({ text: "why", prompt: "why" })).output.duration).toBeGreaterThan(0);
  await expect(say({ prompt: "" })).rejects.toMatchObject({ problems: [{ loc: ["body", "prompt"] }] });
  await expect(say({ text: "hello", voice: "nova" })).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "voice"], msg: expect.stringContaining("only one") }],
  });
});

test("a text of which nothing is spoken is none", async () => {
  for (const field of ["text", "prompt"])
    await expect(say({ [field]: "\u{1f600} \u200d" })).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", field], type: "missing" }],
    });
});

test("letters that a model never learned and languages that it does not tell apart are refused before it speaks", async () => {
  const problemsOf = async (input: Record<string, unknown>) => (await say(input).catch((failure) => failure)).problems;
  expect(await problemsOf({ text: "Hello. We have 3 cats and ten 7s." })).toEqual([
    { loc: ["body", "text"], type: "value_error", msg: expect.stringContaining("cannot read these letters: 3 7") },
  ]);
  expect(await problemsOf({ text: "Grüße" })).toMatchObject([
    { loc: ["body", "text"], msg: expect.stringMatching(/ ü ß/) },
  ]);
  expect(await problemsOf({ text: "hello", language: "de" })).toMatchObject([{ loc: ["body", "language"] }]);
  expect((await say({ text: "Hello, you \u{1F600}!" })).output.duration).toBeGreaterThan(0);
});
