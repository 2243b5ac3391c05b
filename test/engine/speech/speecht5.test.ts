// A tiny random SpeechT5 says the same as in Python's transformers, in each of its voices.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeWav } from "../../../src/engine/media/wav.ts";
import { speak } from "../../../src/engine/pipelines/speak.ts";
import { tokenIds } from "../../../src/engine/voice/token-ids.ts";
import { readVoice, voiceNames } from "../../../src/engine/voice/voice-files.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

type Case = { text: string; voice: string; ids: number[]; frames: number; length: number; samples: number[] };

const FOLDER = join(import.meta.dir, "../../reference/speech/speecht5");
const cases: Case[] = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const assets = openFolder(FOLDER);

for (const { text, voice, ids, length, samples } of cases) {
  test(`"${text}" by ${voice} sounds as in Python`, async () => {
    expect(await tokenIds(await assets.transformers("AutoTokenizer"), text)).toEqual(ids);
    const { output, files } = await runOnce(speak, { assets, input: { text, voice } });
    const sound = decodeWav(files.get("speech.wav") ?? new Uint8Array());
    if (!sound) throw new Error("it saved no WAV file");
    expect([sound.rate, sound.samples.length]).toEqual([16_000, length]);
    expect(output.duration).toBeCloseTo(length / 16_000, 5);
    // 16 bits of the file, and the last digits of two runtimes through up to 140 steps.
    for (const [i, value] of samples.entries())
      expect(Math.abs((sound.samples[i * 5] ?? 9) - value)).toBeLessThan(2e-3);
  });
}

test("answers end by themselves and at the most frames that a text may have", () => {
  const isLongest = ({ ids, frames }: Case) => frames === Math.floor((ids.length * 20) / 2) * 2;
  expect(new Set(cases.map(isLongest))).toEqual(new Set([true, false]));
});

test("voices are the files beside the model, the first one where none is named", async () => {
  expect(voiceNames(assets)).toEqual(["clear", "warm"]);
  expect(await readVoice(assets, "warm", 12)).toHaveLength(12);
  const [first, clear, warm] = await Promise.all(
    [{}, { voice: "clear" }, { voice: "warm" }].map(async (wish) => {
      const { files } = await runOnce(speak, { assets: openFolder(FOLDER), input: { text: "why", ...wish } });
      return files.get("speech.wav") ?? new Uint8Array();
    }),
  );
  expect(first).toEqual(clear ?? new Uint8Array());
  expect(first).not.toEqual(warm ?? new Uint8Array());
  const wrong = runOnce(speak, { assets, input: { text: "why", voice: "nova" } });
  await expect(wrong).rejects.toMatchObject({ problems: [{ msg: expect.stringContaining("clear, warm") }] });
});

test("a file that is no voice is named, and so is the lack of any", async () => {
  await expect(readVoice(assets, "warm", 13)).rejects.toMatchObject({ details: { file: "voices/warm.npy" } });
  await expect(readVoice(assets, "nobody", 12)).rejects.toMatchObject({ details: { file: "voices/nobody.npy" } });
  const mute = openFolder(join(FOLDER, "onnx"));
  expect(() => voiceNames(mute)).toThrow(/voices\/ holds no voices/);
});

test("a text that it babbles on about ends with the last step that its decoder has", async () => {
  const { output } = await runOnce(speak, { assets, input: { text: "a".repeat(198) } });
  expect(output.duration).toBeGreaterThan(0);
});

test("digits, which it never learned, are refused instead of mumbled", async () => {
  const failure = await runOnce(speak, { assets, input: { text: "call 7" } }).catch((error) => error);
  expect(failure.problems).toMatchObject([{ loc: ["body", "text"], msg: expect.stringContaining("letters: 7") }]);
});
