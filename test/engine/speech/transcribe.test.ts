// A tiny random Whisper hears the same as in Python's transformers: languages, token ids, times of segments and words.
import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeWav, encodeWav } from "../../../src/engine/media/wav.ts";
import { transcribe } from "../../../src/engine/pipelines/transcribe.ts";
import { loadWhisper } from "../../../src/engine/speech/whisper.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { sharedFile } from "../support/shared.ts";

setDefaultTimeout(60_000);

type Segment = { start: number; end: number; ids: number[]; times: number[]; text: string };
type Case = {
  start: number;
  end: number;
  language?: string;
  task?: string;
  detected: string;
  features: number[];
  segments: Segment[];
};

const FOLDER = join(import.meta.dir, "../../reference/speech/whisper");
const cases: Case[] = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const path = sharedFile("weights/silero-vad/test.wav");
const assets = openFolder(FOLDER);
const sound = path ? decodeWav(new Uint8Array(readFileSync(path))) : undefined;

for (const { start, end, language, task, detected, features, segments } of cases) {
  test.skipIf(!sound)(
    `${start} s to ${end} s ${language ?? "in a language to be found out"}, ${task ?? "transcribe"}`,
    async () => {
      if (!sound) return;
      const piece = sound.samples.slice(start * 16_000, end * 16_000);
      const whisper = await loadWhisper(assets);
      const heard = await whisper.features(piece);
      const [, bands = 0, frames = 0] = heard.shape;
      const seen = features.map((_, i) => Number(heard.data[Math.floor(i / 6) * frames + (i % 6) * 500]));
      expect(bands * 6).toBe(features.length);
      for (const [i, value] of features.entries()) expect(Math.abs((seen[i] ?? 9) - value)).toBeLessThan(1e-3);
      expect(await whisper.detectLanguage(heard)).toBe(detected);
      // Python goes on into the silence that fills the window.
      const wanted = segments.filter((each) => each.start < end - start);
      const { output } = await runOnce(transcribe, {
        assets,
        media: async () => encodeWav({ samples: piece, rate: 16_000 }),
        input: { audio_url: "test.wav", ...(language && { language }), ...(task && { task }), word_timestamps: true },
      });
      expect(output.inferred_languages).toEqual([language ?? detected]);
      expect(output.chunks.slice(0, wanted.length).map(({ text, timestamp }) => ({ text, timestamp }))).toEqual(
        wanted.map((each) => ({
          text: each.text,
          timestamp: [rounded(each.start), rounded(Math.min(each.end, end - start))],
        })),
      );
      for (const [i, { ids, times }] of wanted.entries()) {
        const first = ids.findIndex((id) => id < whisper.firstMark);
        const begin = output.chunks[i]?.words?.[0]?.timestamp[0] ?? -1;
        expect(Math.abs(begin - (times[first] ?? -9))).toBeLessThan(0.011);
      }
    },
  );
}

const rounded = (seconds: number) => Math.round(seconds * 100) / 100;

const tone = async () =>
  encodeWav({ samples: Float32Array.from({ length: 16_000 }, (_, i) => Math.sin(i / 9)), rate: 16_000 });

test("a model that hears English alone refuses other languages and translations, and any model one it does not know", async () => {
  const folder = mkdtempSync(join(tmpdir(), "whisper-en-"));
  try {
    cpSync(FOLDER, folder, { recursive: true });
    const {
      is_multilingual: _,
      lang_to_id: __,
      task_to_id: ___,
      ...settings
    } = JSON.parse(readFileSync(join(FOLDER, "generation_config.json"), "utf8"));
    writeFileSync(join(folder, "generation_config.json"), JSON.stringify({ ...settings, is_multilingual: false }));
    const hear = (of: typeof assets, input: Record<string, unknown>) =>
      runOnce(transcribe, { assets: of, media: tone, input: { audio_url: "test.wav", ...input } });
    const english = openFolder(folder);
    const fieldOf = async (of: typeof assets, input: Record<string, unknown>) =>
      (await hear(of, input).catch((failure) => failure)).problems?.[0]?.loc;
    expect(await fieldOf(english, { language: "de" })).toEqual(["body", "language"]);
    expect(await fieldOf(english, { task: "translate" })).toEqual(["body", "task"]);
    expect((await hear(english, { language: "English" })).output.duration).toBe(1);
    expect(await fieldOf(assets, { language: "Klingon" })).toEqual(["body", "language"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("how much of a prompt the model does not read is told", async () => {
  const hear = (prompt: string) =>
    runOnce(transcribe, { assets, media: tone, input: { audio_url: "test.wav", prompt } });
  expect((await hear("Bonn")).log).toEqual([]);
  expect((await hear("one two three ".repeat(50))).log).toEqual([
    expect.stringMatching(/first \d+ tokens are left out/),
  ]);
});

test("no time is beyond the recording's end, and they never go back, though the model hears on into silence", async () => {
  for (const [seconds, chunk_level] of [
    [3, "segment"],
    [0.01, "word"],
    [2, "word"],
  ] as const) {
    const samples = new Float32Array(seconds * 16_000);
    const media = async () => encodeWav({ samples, rate: 16_000 });
    const { output } = await runOnce(transcribe, { assets, media, input: { audio_url: "x", chunk_level } });
    expect(output.chunks.length).toBeGreaterThan(0);
    const times = output.chunks.flatMap(({ timestamp }) => timestamp.map(Number));
    for (const [at, time] of times.entries()) {
      expect(time).toBeLessThanOrEqual(seconds);
      expect(time).toBeGreaterThanOrEqual(times[at - 1] ?? 0);
    }
  }
});
