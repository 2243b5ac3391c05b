// Listening begins with who speaks when: Silero's model beside a Whisper, judged by Python's reading of the same sound.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readModel } from "../../../src/control/catalog/read-model.ts";
import { decodeWav } from "../../../src/engine/media/wav.ts";
import { transcribe } from "../../../src/engine/pipelines/transcribe.ts";
import { clipsOf } from "../../../src/engine/speech/clips.ts";
import { loadVoiceActivity } from "../../../src/engine/speech/voice-activity.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { sharedFile } from "../support/shared.ts";

setDefaultTimeout(120_000);

const REFERENCE = join(import.meta.dir, "../../reference/speech");
const [wav, silero] = [sharedFile("weights/silero-vad/test.wav"), sharedFile("weights/silero-vad/silero_vad.onnx")];
const wanted: { stretches: [number, number][] } = JSON.parse(readFileSync(join(REFERENCE, "silero.json"), "utf8"));

const folder = mkdtempSync(join(tmpdir(), "forecourt-whisper-"));
cpSync(join(REFERENCE, "whisper"), folder, { recursive: true });
mkdirSync(join(folder, "vad"));
if (silero) cpSync(silero, join(folder, "vad/silero_vad.onnx"));
afterAll(() => rmSync(folder, { recursive: true }));

test.skipIf(!wav || !silero)("it hears speech where Python hears it, and nothing in silence", async () => {
  const activity = await loadVoiceActivity(openFolder(folder));
  const sound = decodeWav(new Uint8Array(readFileSync(wav ?? "")));
  if (!activity || !sound) throw new Error("the weights have a model of voice activity, and there is a sound");
  const { signal } = new AbortController();
  const found = await activity(sound.samples, signal);
  expect(found).toHaveLength(wanted.stretches.length);
  for (const [i, [start, end]] of wanted.stretches.entries()) {
    expect(Math.abs((found[i]?.start ?? -9) - start)).toBeLessThan(0.04);
    expect(Math.abs((found[i]?.end ?? -9) - end)).toBeLessThan(0.04);
  }
  expect(await activity(new Float32Array(32_000), signal)).toEqual([]);
});

test.skipIf(!wav || !silero)(
  "a minute of speech is heard clip by clip, in order, silence is not heard at all",
  async () => {
    const assets = openFolder(folder);
    const bytes = new Uint8Array(readFileSync(wav ?? ""));
    const run = (media: Uint8Array) =>
      runOnce(transcribe, { assets, media: async () => media, input: { audio_url: "x.wav" }, wantsPartials: true });
    const { output, steps, units } = await run(bytes);
    expect(units.seconds).toBeCloseTo(60, 1);
    const progress = steps.flatMap((step) => (step.type === "progress" ? [step.at] : []));
    expect(progress.length).toBeGreaterThan(1);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(steps.filter(({ type }) => type === "partial")).toHaveLength(progress.length);
    expect(output.chunks.length).toBeGreaterThan(1);
    const silent = bytes.slice(0, 44 + 32_000 * 2).fill(0, 44);
    expect((await run(silent)).output).toMatchObject({ text: "", chunks: [], inferred_languages: [] });
  },
);

test("clips end in pauses and fit the window, but for speech without a pause", () => {
  const speech = [
    { start: 0, end: 12 },
    { start: 13, end: 29 },
    { start: 30, end: 33 },
    { start: 40, end: 90 },
  ];
  expect(clipsOf(speech, { duration: 100, window: 30 })).toEqual([
    { start: 0, end: 29 },
    { start: 30, end: 33 },
    { start: 40, end: 90 },
  ]);
  expect(clipsOf(undefined, { duration: 65, window: 30 })).toEqual([{ start: 0, end: 65 }]);
  expect(speech[0]).toEqual({ start: 0, end: 12 });
});

test("a model file names the weights of both, under fal's ids", () => {
  const file = (path: string, url: string) =>
    `    - { url: "https://example.org/${url}", path: ${path}, bytes: 1, sha256: "${"0".repeat(64)}" }`;
  const text = `
id: example/whisper
aliases: [fal-ai/whisper, fal-ai/wizper, fal-ai/speech-to-text]
title: Whisper
description: Writes down what is said.
category: speech-to-text
licence: { id: MIT, commercial: true }
pipeline: transcribe
source:
  urls:
${[
  file("config.json", "config.json"),
  file("onnx/encoder_model_fp16.onnx", "onnx/encoder_model_fp16.onnx"),
  file("onnx/decoder_model_merged_q4.onnx", "onnx/decoder_model_merged_q4.onnx"),
  file("vad/silero_vad.onnx", "silero_vad.onnx"),
].join("\n")}
graphs:
  onnx/encoder_model.onnx: onnx/encoder_model_fp16.onnx
  onnx/decoder_model_merged.onnx: onnx/decoder_model_merged_q4.onnx
memory: { weights: 400000000, working: 400000000 }
price: { unit: second, amount: 0.0001, currency: USD }
`;
  expect(readModel({ file: "whisper.yaml", text })).toMatchObject({ pipeline: "transcribe", aliases: { length: 3 } });
});
