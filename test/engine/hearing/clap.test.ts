// A tiny CLAP of random weights against Python's transformers: features in every way to cut and fill, scores, embeddings.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Assets } from "../../../src/core/pipeline.ts";
import { clapFeatures } from "../../../src/engine/hearing/clap-features.ts";
import { decodeWav, encodeWav } from "../../../src/engine/media/wav.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { audioTextSimilarity } from "../../../src/engine/pipelines/audio-text-similarity.ts";
import { embed } from "../../../src/engine/pipelines/embed.ts";
import { cosine } from "../../../src/engine/tensor/cosine.ts";
import { softmax } from "../../../src/engine/tensor/softmax.ts";
import { loadEncoderTokenizer } from "../../../src/engine/text/encoder-tokenizer.ts";
import { furthest, unit } from "../support/embedding.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";

setDefaultTimeout(120_000);

type Cases = {
  texts: string[];
  ids: number[][];
  /** Samples of the sound, from its beginning. */
  lengths: number[];
  /** Every seventh. */
  features: number[][];
  logits: number[][];
  audio_embeds: number[][];
  text_embeds: number[][];
  /** Of the whole sound, so many times, as if it were of 48 kHz; every 877th value. */
  at_size: { truncation: string; padding: string; times: number; shape: number[]; values: number[] }[];
};

const FOLDER = join(import.meta.dir, "../../reference/music/clap");
const cases: Cases = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const assets = openFolder(FOLDER);
const whole = decodeWav(new Uint8Array(readFileSync(join(FOLDER, "sound.wav")))) ?? {
  samples: new Float32Array(),
  rate: 1,
};
const beginning = (length: number) => whole.samples.slice(0, length);
/** URLs are lengths. */
const media = async (url: string) => encodeWav({ samples: beginning(Number(url)), rate: whole.rate });

function expectClose(got: Float32Array, wanted: readonly number[], { every, apart }: { every: number; apart: number }) {
  expect(Math.ceil(got.length / every)).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(Math.abs((got[i * every] ?? 999) - value)).toBeLessThan(apart);
}

test("features are those of ClapFeatureExtractor: sounds that are repeated, whole and cut in the middle", async () => {
  const features = clapFeatures(await assets.json("preprocessor_config.json"));
  expect(features.shape).toEqual([1, 101, 16]);
  for (const [i, length] of cases.lengths.entries())
    expectClose(await features.of(beginning(length), createPause()), cases.features[i] ?? [], {
      every: 7,
      apart: 2e-3,
    });
});

for (const { truncation, padding, times, shape, values } of cases.at_size) {
  test(`at CLAP's own size: ${truncation}, ${padding}, ${times} times the sound`, async () => {
    const features = clapFeatures({ truncation, padding });
    expect([1, ...features.shape]).toEqual(shape);
    const samples = new Float32Array(whole.samples.length * times);
    for (let i = 0; i < times; i++) samples.set(whole.samples, i * whole.samples.length);
    // PyTorch shortens in single precision, so that its places in time are a little off.
    expectClose(await features.of(samples, createPause()), values, {
      every: 877,
      apart: truncation === "fusion" && times > 1 ? 1e-2 : 2e-3,
    });
  });
}

test("ways to cut and fill that are not known are named", () => {
  expect(() => clapFeatures({ truncation: "rand_cut" })).toThrow("rand_cut");
  expect(() => clapFeatures({ padding: "mirror" })).toThrow("repeatpad");
});

test("texts become the tokens that they are in Python", async () => {
  const tokenizer = await loadEncoderTokenizer(assets);
  for (const [i, text] of cases.texts.entries()) expect(tokenizer.encode([text]).ids).toEqual(cases.ids[i] ?? []);
});

const compare = (input: Record<string, unknown>, signal?: AbortSignal) =>
  runOnce(audioTextSimilarity, {
    assets,
    input: { texts: cases.texts, template: "{}", ...input },
    media,
    ...(signal && { signal }),
  });

describe("texts for a sound", () => {
  for (const [i, length] of cases.lengths.entries())
    test(`scores of ${length} samples are Python's`, async () => {
      const wanted = cases.logits[i] ?? [];
      const { output, units, log } = await compare({ audio_url: String(length) });
      expect(furthest([output.logits], [wanted])).toBeLessThan(1e-3);
      expect(furthest([output.scores], [softmax(wanted)])).toBeLessThan(1e-3);
      const vectors = (rows: number[][]) => rows.map((row) => Float32Array.from(row));
      const [sound = new Float32Array()] = vectors([cases.audio_embeds[i] ?? []]);
      const alike = vectors(cases.text_embeds).map((text) => cosine(sound, text));
      expect(furthest([output.similarities], [alike])).toBeLessThan(1e-4);
      expect(output.label).toBe(cases.texts[wanted.indexOf(Math.max(...wanted))] ?? "");
      expect(units).toEqual({ sounds: 1, texts: 4, requests: 1 });
      expect(log).toEqual(length > 8000 ? ["audio_url is longer than 1 seconds: the model hears parts of it"] : []);
    });

  test("a template is read around each text", async () => {
    const given = { audio_url: "8000", texts: ["a dog", "$& water"] };
    const around = await compare({ ...given, template: "This is a sound of {}." });
    const texts = given.texts.map((text) => `This is a sound of ${text}.`);
    const written = await compare({ ...given, texts });
    expect(around.output.logits).toEqual(written.output.logits);
    const { template: _, ...input } = { ...given, template: "" };
    const usual = await runOnce(audioTextSimilarity, { assets, input, media });
    expect(usual.output.logits).toEqual(around.output.logits);
  });

  test("a text that is too long, and what is no sound, or of no length, are refused with the field", async () => {
    const long = { audio_url: "8000", texts: ["a dog", "many words ".repeat(80)] };
    await expect(compare(long)).rejects.toMatchObject({
      problems: [{ loc: ["body", "texts", 1], type: "sequence_too_long" }],
    });
    expect((await compare({ ...long, truncate: true })).log).toHaveLength(1);
    const broken = runOnce(audioTextSimilarity, {
      assets,
      input: { audio_url: "x", texts: ["a"] },
      media: async () => new Uint8Array(99),
    });
    await expect(broken).rejects.toMatchObject({ problems: [{ loc: ["body", "audio_url"] }] });
    const nothing = compare({ audio_url: "0" });
    await expect(nothing).rejects.toMatchObject({
      problems: [{ loc: ["body", "audio_url"], type: "audio_load_error" }],
    });
  });

  test("a cancel is heard while the sound is read", async () => {
    const stop = new AbortController();
    const reason = new Error("cancelled");
    const silence = encodeWav({ samples: new Float32Array(48_000 * 600), rate: 48_000 });
    const cancelled = runOnce(audioTextSimilarity, {
      assets,
      input: { audio_url: "x", texts: ["a"] },
      signal: stop.signal,
      media: async () => {
        setTimeout(() => stop.abort(reason), 0);
        return silence;
      },
    });
    await expect(cancelled).rejects.toBe(reason);
  });

  test("an abort ends it", async () => {
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    await expect(compare({ audio_url: "8000" }, stop.signal)).rejects.toThrow("enough");
  });
});

/** As a repository that has one graph of both towers. */
const together: Assets = { ...assets, has: (path) => !/(text|audio)_model/.test(path) && assets.has(path) };

describe("embeddings", () => {
  const input = [...cases.lengths.map((length) => ({ audio_url: String(length) })), ...cases.texts];

  test("of sounds and texts are Python's, by two graphs", async () => {
    const { output, units } = await runOnce(embed.of({}), { assets, input: { input, normalize: false }, media });
    const wanted = [...cases.audio_embeds, ...cases.text_embeds];
    expect(furthest(output.embeddings, wanted)).toBeLessThan(2e-3);
    const tokens = cases.ids.flat().length;
    expect(units).toEqual({ requests: 1, input_tokens: tokens, tokens, images: 0, sounds: 4 });
    expect(embed.of({}).estimate?.({ input, normalize: true, truncate: false })).toMatchObject({
      sounds: 4,
      images: 0,
    });
  });

  test("and by one, where both are of length 1", async () => {
    const { output } = await runOnce(embed.of({}), { assets: together, input: { input, normalize: false }, media });
    const wanted = [...cases.audio_embeds, ...cases.text_embeds].map(unit);
    expect(furthest(output.embeddings, wanted)).toBeLessThan(1e-3);
  });

  test("of a model with fusion are Python's, alone and together", async () => {
    const folder = join(FOLDER, "../clap-fused");
    const wanted: number[][] = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")).audio_embeds;
    const fused = openOverlay([folder, FOLDER]);
    const sounds = input.slice(0, wanted.length);
    const embedded = async (given: typeof sounds) =>
      (await runOnce(embed.of({}), { assets: fused, input: { input: given, normalize: false }, media })).output
        .embeddings;
    expect(furthest(await embedded(sounds), wanted)).toBeLessThan(5e-3);
    for (const [i, sound] of sounds.entries())
      expect(furthest(await embedded([sound]), wanted.slice(i, i + 1))).toBeLessThan(5e-3);
  });

  test("a model without eyes says what it reads", async () => {
    const asked = runOnce(embed.of({}), { assets, input: { input: [{ image_url: "8000" }] }, media });
    await expect(asked).rejects.toMatchObject({
      problems: [{ loc: ["body", "input", 0, "image_url"], msg: "This model reads texts and sounds only" }],
    });
  });
});
