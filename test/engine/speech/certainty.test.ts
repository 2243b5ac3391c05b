// How sure a tiny random Whisper is of what it hears, as openai/whisper defines it and Python computes it.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeWav, encodeWav } from "../../../src/engine/media/wav.ts";
import { transcribe } from "../../../src/engine/pipelines/transcribe.ts";
import { compressionRatio } from "../../../src/engine/speech/certainty.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { sharedFile } from "../support/shared.ts";

setDefaultTimeout(60_000);

type Case = {
  start: number;
  end: number;
  language: string;
  prompt: string;
  tokens: number[];
  avg_logprob: number;
  no_speech_prob: number;
  compression_ratio: number;
};

const FOLDER = join(import.meta.dir, "../../reference/speech/whisper");
const cases: Case[] = JSON.parse(readFileSync(join(FOLDER, "figures.json"), "utf8"));
const path = sharedFile("weights/silero-vad/test.wav");
const sound = path ? decodeWav(new Uint8Array(readFileSync(path))) : undefined;
const assets = openFolder(FOLDER);

test.skipIf(!sound).each(cases)("$start s to $end s in $language", async (each) => {
  const { start, end, language, prompt, tokens, avg_logprob, no_speech_prob, compression_ratio } = each;
  const samples = sound?.samples.slice(start * 16_000, end * 16_000) ?? new Float32Array();
  const hear = (wishes: object) =>
    runOnce(transcribe, {
      assets,
      media: async () => encodeWav({ samples, rate: 16_000 }),
      input: { audio_url: "test.wav", language, prompt, ...wishes },
    });
  const { output } = await hear({ with_certainty: true });
  const first = output.chunks.filter(({ certainty }) => certainty?.seek === 0);
  const heard = first.flatMap(({ certainty }) => certainty?.tokens ?? []);
  expect(heard.length).toBeGreaterThan(1);
  // What a pass began and did not end is no segment.
  expect(heard).toEqual(tokens.slice(0, heard.length));
  for (const { certainty } of first) {
    expect(certainty?.avg_logprob).toBeCloseTo(avg_logprob, 3);
    expect(Math.abs(Math.log((certainty?.no_speech_prob ?? 0) / no_speech_prob))).toBeLessThan(0.01);
    // Bun's zlib finds other codes than Python's: some bytes more, which is much of a text as short as these.
    expect(Math.abs((certainty?.compression_ratio ?? 0) / compression_ratio - 1)).toBeLessThan(0.2);
    expect(certainty?.temperature).toBe(0);
  }
  expect((await hear({})).output.chunks.every((chunk) => !("certainty" in chunk))).toBe(true);
});

test("what repeats itself compresses well", () => {
  expect(compressionRatio("")).toBe(0);
  expect(compressionRatio("thank you ".repeat(40))).toBeGreaterThan(2.4);
  expect(compressionRatio("The judge chose five rings, why?")).toBeLessThan(1);
});
