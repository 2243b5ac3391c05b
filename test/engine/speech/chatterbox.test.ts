// Tiny stand-ins for Chatterbox say the same as the loops of its model cards in Python: the same tokens, the same sound.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Assets } from "../../../src/core/pipeline.ts";
import { decodeWav, encodeWav } from "../../../src/engine/media/wav.ts";
import { speak } from "../../../src/engine/pipelines/speak.ts";
import { languagesOf, textIn, tidyText } from "../../../src/engine/voice/chatterbox-text.ts";
import { loadVoice } from "../../../src/engine/voice/families.ts";
import { readRecording, recordedVoices } from "../../../src/engine/voice/recordings.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

type Case = {
  text: string;
  voice: string;
  exaggeration: number;
  ids: number[];
  tokens: number[];
  length: number;
  samples: number[];
};

const SPEECH = join(import.meta.dir, "../../reference/speech");
const read = (path: string) => JSON.parse(readFileSync(join(SPEECH, path), "utf8"));

/** The folder's assets; what the table of tokens first reads of a text and what the sound decoder is given are kept. */
function watched(folder: string) {
  const assets = openFolder(join(SPEECH, folder));
  const seen = { ids: [] as number[], tokens: [] as number[] };
  const graph: Assets["graph"] = async (path, options) => {
    const opened = await assets.graph(path, options);
    return {
      ...opened,
      async run(inputs) {
        const { input_ids: ids, speech_tokens: tokens } = inputs;
        if (ids && ids.shape[1] !== 1) seen.ids = Array.from(ids.data as BigInt64Array, Number);
        if (tokens) seen.tokens = Array.from(tokens.data as BigInt64Array, Number);
        return await opened.run(inputs);
      },
    };
  };
  return { assets: { ...assets, graph } satisfies Assets, seen };
}

const greedy = { speed: 1, temperature: 0, seed: 1, signal: new AbortController().signal };

for (const folder of ["chatterbox", "chatterbox-turbo"])
  describe(folder, async () => {
    const { assets, seen } = watched(folder);
    const voice = await loadVoice(assets);
    for (const { text, voice: name, exaggeration, ids, tokens, length, samples } of read(
      `${folder}/cases.json`,
    ) as Case[])
      test(`"${text}" by ${name} at ${exaggeration} sounds as in Python`, async () => {
        const sound = await voice.speak({ text, voice: name, exaggeration, ...greedy });
        expect(seen.ids).toEqual(ids);
        expect(seen.tokens).toEqual(tokens);
        expect(sound).toHaveLength(length);
        const [apart, size] = samples.reduce(
          ([sum, all], value, i) => [sum + (value - (sound[5 * i] ?? 9)) ** 2, all + value ** 2],
          [0, 0],
        );
        expect(Math.sqrt(apart / size)).toBeLessThan(1e-4);
      });
  });

const assets = openFolder(join(SPEECH, "chatterbox"));
const say = (input: Record<string, unknown>, options = {}) => runOnce(speak, { assets, input, ...options });
const uri = (bytes: Uint8Array) => `data:audio/wav;base64,${bytes.toBase64()}`;
const recording = (seconds: number, rate = 48_000) =>
  uri(encodeWav({ samples: Float32Array.from({ length: seconds * rate }, (_, i) => Math.sin(i / 40) / 3), rate }));
const soundOf = ({ files }: { files: Map<string, Uint8Array> }) => files.get("speech.wav") ?? new Uint8Array();

test("a recording's voice is copied as one beside the model is, and chance comes from the seed", async () => {
  const text = "Hello there. Yes!";
  const anna = uri(await assets.bytes("voices/anna.wav"));
  const named = soundOf(await say({ text, voice: "anna", seed: 4 }));
  expect(soundOf(await say({ text, audio_url: anna, seed: 4 }))).toEqual(named);
  expect(soundOf(await say({ text, audio_url: anna, seed: 5 }))).not.toEqual(named);
  expect(soundOf(await say({ text, audio_url: recording(2), seed: 4 }))).not.toEqual(named);
  // The model's own values, where nothing is said of them.
  expect(soundOf(await say({ text, voice: "anna", seed: 4, exaggeration: 0.5, temperature: 0.8 }))).toEqual(named);
});

test("sentences come one by one, and faster speech is shorter", async () => {
  const input = { text: "Hello there. Why not?", temperature: 0 };
  const { steps, output } = await say(input, { wantsPartials: true });
  const partials = steps.flatMap((step) => (step.type === "partial" ? [step.value] : []));
  expect(partials).toMatchObject([{ text: "Hello there.", sample_rate: 24_000 }, { text: "Why not?" }]);
  expect(output.sample_rate).toBe(24_000);
  expect(decodeWav(soundOf(await say(input)))?.rate).toBe(24_000);
});

test("wishes that a model does not know, and recordings that are none, are refused by their field", async () => {
  const problem = async (model: string, input: Record<string, unknown>) => {
    const failure: unknown = await runOnce(speak, { assets: openFolder(join(SPEECH, model)), input }).catch((e) => e);
    return (failure as { problems: { loc: string[]; msg: string; type: string }[] }).problems[0];
  };
  const text = "hello?";
  expect(await problem("chatterbox-turbo", { text, exaggeration: 1 })).toMatchObject({ loc: ["body", "exaggeration"] });
  expect(await problem("tones", { text, audio_url: recording(2) })).toMatchObject({ loc: ["body", "audio_url"] });
  expect(await problem("tones", { text, temperature: 1 })).toMatchObject({ loc: ["body", "temperature"] });
  const short = { loc: ["body", "audio_url"], type: "audio_duration_too_short", ctx: { min_duration: 1 } };
  expect(await problem("chatterbox", { text, audio_url: recording(0.9) })).toMatchObject(short);
  const shorter = { ...short, ctx: { min_duration: 5 } };
  expect(await problem("chatterbox-turbo", { text, audio_url: recording(4) })).toMatchObject(shorter);
  const noise = uri(new TextEncoder().encode("no sound"));
  expect(await problem("chatterbox", { text, audio_url: noise })).toMatchObject({ type: "audio_load_error" });
  expect((await problem("chatterbox", { text, voice: "nobody" }))?.msg).toContain("default, anna");
  expect(await problem("chatterbox", { text: "你好", language: "en" })).toMatchObject({
    ...{ loc: ["body", "text"], msg: expect.stringContaining("Chinese characters") },
  });
  expect((await problem("chatterbox", { text, language: "dutch" }))?.msg).toContain("de (german)");
  expect((await problem("chatterbox-turbo", { text, language: "de" }))?.msg).toContain("en (english)");
});

test("letters without a token are refused by name; signs without one are left out, and the log says so", async () => {
  const folder = watched("chatterbox");
  const sayBy = (text: string) => runOnce(speak, { assets: folder.assets, input: { text, temperature: 0 } });
  const { log } = await sayBy("Hello there.");
  const { ids } = folder.seen;
  expect(log).toEqual([]);
  expect((await sayBy("Hello ☃there😀.")).log).toEqual([
    "the model does not know these signs, which are left out: ☃ 😀",
  ]);
  expect(folder.seen.ids).toEqual(ids);
  await expect(sayBy("Hello, 3 señores.")).rejects.toMatchObject({
    problems: [{ loc: ["body", "text"], msg: expect.stringContaining("cannot read these letters: 3 ñ.") }],
  });
});

describe("a folder without recordings", () => {
  let bare: string;
  beforeAll(async () => {
    bare = await mkdtemp(join(tmpdir(), "forecourt-chatterbox-"));
    await cp(join(SPEECH, "chatterbox-turbo"), bare, { recursive: true });
    await rm(join(bare, "voices"), { recursive: true });
  });
  afterAll(() => rm(bare, { recursive: true }));

  test("speaks by audio_url alone, and says so", async () => {
    const run = (input: Record<string, unknown>) => runOnce(speak, { assets: openFolder(bare), input });
    const missing = { problems: [{ loc: ["body", "audio_url"], type: "missing" }] };
    await expect(run({ text: "hello?" })).rejects.toMatchObject(missing);
    const voice = { problems: [{ loc: ["body", "voice"], msg: expect.stringContaining("audio_url") }] };
    await expect(run({ text: "hello?", voice: "lucy" })).rejects.toMatchObject(voice);
    expect((await run({ text: "hello?", audio_url: recording(6) })).output.duration).toBeGreaterThan(0);
  });
});

test("voices are recordings beside the model; a file that is none is named", async () => {
  expect([...recordedVoices(assets).keys()]).toEqual(["default", "anna"]);
  await expect(readRecording(assets, "config.json")).rejects.toMatchObject({
    code: "weights_missing",
    details: { file: "config.json" },
  });
});

test("texts are tidied as by the makers' code", () => {
  const known = ["de", "en", "fr"];
  for (const { text, usual, turbo, many } of read("chatterbox-texts.json")) {
    expect(tidyText(text, { isTurbo: false })).toBe(usual);
    expect(tidyText(text, { isTurbo: true })).toBe(turbo);
    expect(textIn(tidyText(text, { isTurbo: false }), "German", known)).toBe(many);
  }
  expect(languagesOf(read("chatterbox/tokenizer.json"))).toEqual(known);
  expect(languagesOf({ model: { vocab: { a: 1 } } })).toEqual(["en"]);
});
