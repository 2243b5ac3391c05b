// A tiny MusicGen of random weights, mono and stereo, against Python's transformers: tokens, codes, sound, and the pipeline.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "../../../src/core/schema.ts";
import { delayPattern } from "../../../src/engine/music/delay-pattern.ts";
import { loadMusicgen } from "../../../src/engine/music/musicgen.ts";
import { makeMusic } from "../../../src/engine/pipelines/make-music.ts";
import { loadT5Tokenizer } from "../../../src/engine/text/t5-tokenizer.ts";
import { runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";

setDefaultTimeout(120_000);

type Case = {
  prompt: string;
  guidance: number;
  /** Absent: greedy. */
  sampling?: { seed: number; temperature: number; top_k: number; top_p: number };
  ids: number[];
  codes: number[][];
  length: number;
  /** Of each channel every 37th. */
  samples: number[][];
};

const folder = (name: string) => join(import.meta.dir, "../../reference/music", name);
const casesOf = (name: string): Case[] => JSON.parse(readFileSync(join(folder(name), "cases.json"), "utf8"));
const open = {
  mono: openOverlay([folder("musicgen")]),
  stereo: openOverlay([folder("musicgen-stereo"), folder("musicgen")]),
};
const greedy = {
  ...{ temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 },
  ...{ bias: new Map<number, number>(), repetition: 1, presence: 0, frequency: 0 },
};

/** Steps by number and what they came to. */
async function finish<Each, Last>(going: AsyncGenerator<Each, Last>) {
  const steps: Each[] = [];
  let next = await going.next();
  for (; !next.done; next = await going.next()) steps.push(next.value);
  return { steps, value: next.value };
}

for (const [kind, name, channels] of [
  ["mono", "musicgen", 1],
  ["stereo", "musicgen-stereo", 2],
] as const) {
  describe(kind, () => {
    for (const { prompt, guidance, sampling: drawn, ids, codes, length, samples } of casesOf(name)) {
      test(`"${prompt}" with guidance ${guidance}, ${drawn ? `drawn from seed ${drawn.seed}` : "greedy"}: Python's tokens, codes and sound`, async () => {
        const assets = open[kind];
        const tokenizer = await loadT5Tokenizer(assets, { folder: ".", maxLength: 512 });
        expect(tokenizer.encode(prompt).ids).toEqual(ids);
        const model = await loadMusicgen(assets);
        expect(model).toMatchObject({ rate: 32_000, framesPerSecond: 50, channels });
        const frames = codes[0]?.length ?? 0;
        const { top_k: topK = 0, top_p: topP = 1, ...more } = drawn ?? {};
        const sampling = { ...greedy, topK, topP, ...more };
        const signal = new AbortController().signal;
        const { steps, value } = await finish(model.write({ prompt, guidance, frames, sampling, signal }));
        expect(value).toEqual(codes);
        expect(steps).toEqual(Array.from({ length: frames + 3 }, (_, i) => ({ at: i + 1, of: frames + 3 })));
        const sound = await model.play(value);
        expect(sound.channels.map((each) => each.length)).toEqual(samples.map(() => length));
        for (const [side, wanted] of samples.entries())
          for (const [i, sample] of wanted.entries())
            expect(Math.abs((sound.channels[side]?.[i * 37] ?? 9) - sample)).toBeLessThan(1e-3);
      });
    }
  });
}

test("codebooks of a frame are written one step apart, of two channels side by side", () => {
  const { steps, books, frameAt } = delayPattern({ frames: 3, books: 4, channels: 2 });
  expect(steps).toBe(4);
  const written = Array.from({ length: books }, (_, row) => Array.from({ length: steps }, (_, i) => frameAt(row, i)));
  expect(written).toEqual([
    [0, 1, 2, undefined],
    [0, 1, 2, undefined],
    [undefined, 0, 1, 2],
    [undefined, 0, 1, 2],
  ]);
});

const compose = (input: Record<string, unknown>, more: { kind?: "mono" | "stereo"; signal?: AbortSignal } = {}) => {
  const { kind = "mono", signal } = more;
  return runOnce(makeMusic, { assets: open[kind], input, ...(signal && { signal }) });
};

/** Of a WAV file of 16 bits: its channels and samples, left, right, left... */
function readWav(bytes: Uint8Array = new Uint8Array(44)) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    ...{ channels: view.getUint16(22, true), rate: view.getUint32(24, true), bytesPerSecond: view.getUint32(28, true) },
    samples: new Int16Array(bytes.slice(44).buffer),
  };
}

describe("the pipeline", () => {
  test("makes whole frames of the asked length, counts them, and says how far it is", async () => {
    const [first] = casesOf("musicgen");
    const { output, files, units, steps, log } = await compose({
      prompt: first?.prompt,
      duration: 0.6,
      temperature: 0,
    });
    expect(units).toEqual({ seconds: 0.6, requests: 1 });
    expect(makeMusic.estimate?.(parse(makeMusic.input, { prompt: "a cat", duration: 0.6 }))).toEqual({
      seconds: 0.6,
      requests: 1,
    });
    expect(output).toMatchObject({ duration: 0.6, sample_rate: 32_000, channels: 1, prompt: first?.prompt });
    expect(output.audio).toMatchObject({ content_type: "audio/wav", file_name: "music.wav" });
    const wav = readWav(files.get("music.wav"));
    expect(wav).toMatchObject({ channels: 1, rate: 32_000, bytesPerSecond: 64_000 });
    for (const [i, sample] of (first?.samples[0] ?? []).entries())
      expect(Math.abs((wav.samples[i * 37] ?? 9e9) / 32_768 - Math.min(1, Math.max(-1, sample)))).toBeLessThan(1e-3);
    expect(steps.slice(0, -1)).toEqual(Array.from({ length: 33 }, (_, i) => ({ type: "progress", at: i + 1, of: 33 })));
    expect(log).toEqual([]);
    expect((await compose({ prompt: "a cat", duration: 0.619 })).output.duration).toBe(0.6);
  });

  test("stereo has both channels in the file", async () => {
    const [first] = casesOf("musicgen-stereo");
    const given = { prompt: first?.prompt, duration: 0.6, temperature: 0 };
    const { output, files } = await compose(given, { kind: "stereo" });
    expect(output.channels).toBe(2);
    const wav = readWav(files.get("music.wav"));
    expect(wav).toMatchObject({ channels: 2, rate: 32_000, bytesPerSecond: 128_000 });
    expect(wav.samples.length).toBe(2 * (first?.length ?? 0));
    for (const [side, samples] of (first?.samples ?? []).entries())
      for (const [i, sample] of samples.entries())
        expect(
          Math.abs((wav.samples[2 * i * 37 + side] ?? 9e9) / 32_768 - Math.min(1, Math.max(-1, sample))),
        ).toBeLessThan(1e-3);
  });

  test("a seed gives the same music again, another seed other music", async () => {
    const asked = { prompt: "the small star", duration: 0.5, output_format: "pcm", sync_mode: true };
    const [once, again, other] = [
      await compose({ ...asked, seed: 7 }),
      await compose({ ...asked, seed: 7 }),
      await compose({ ...asked, seed: 8 }),
    ];
    expect(once.output.seed).toBe(7);
    expect(once.output.audio.url).toStartWith("data:audio/pcm;base64,");
    expect(once.files.size).toBe(0);
    expect(again.output).toEqual(once.output);
    expect(other.output.audio.url).not.toBe(once.output.audio.url);
    const free = await compose(asked);
    const repeated = await compose({ ...asked, seed: free.output.seed });
    expect(repeated.output).toEqual(free.output);
  });

  test("more than the model can count to is refused with its limit, and more than 30 seconds always", async () => {
    await expect(compose({ prompt: "a cat", duration: 2 })).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "duration"], msg: "The model makes at most 1.2 seconds" }],
    });
    expect(() => compose({ prompt: "a cat", duration: 31 })).toThrow("duration");
    expect(() => compose({ prompt: "", duration: 1 })).toThrow("prompt");
  });

  test("an abort ends it within a step", async () => {
    const stop = new AbortController();
    const run = await makeMusic.load(open.mono);
    const input = parse(makeMusic.input, { prompt: "a cat", duration: 1 });
    const never = () => Promise.reject(new Error("not asked for"));
    const going = run([{ input, media: never, save: never, log: () => {} }], stop.signal);
    expect((await going.next()).value).toMatchObject({ step: { at: 1, of: 53 } });
    stop.abort(new Error("enough"));
    await expect(going.next()).rejects.toThrow("enough");
  });

  test("a model of another kind is named", async () => {
    const other = { ...open.mono, json: async () => ({ model_type: "vits", audio_encoder: {}, decoder: {} }) as never };
    await expect(makeMusic.load(other)).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("vits"),
    });
  });
});
