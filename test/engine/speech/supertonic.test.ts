// Supertonic in both layouts sounds as by Supertone's own package and as transformers.js' loop in Python makes it, from the
// same noise; its languages, its letters, its voices.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeWav } from "../../../src/engine/media/wav.ts";
import { speak } from "../../../src/engine/pipelines/speak.ts";
import { loadVoice } from "../../../src/engine/voice/families.ts";
import { languagesOf } from "../../../src/engine/voice/supertonic-text.ts";
import type { Utterance } from "../../../src/engine/voice/voice.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";

setDefaultTimeout(60_000);

type Case = {
  text: string;
  language: string;
  voice: string;
  steps: number;
  speed: number;
  seed: number;
  length: number;
  samples: number[];
};

const SPEECH = join(import.meta.dir, "../../reference/speech");
const OWN = join(SPEECH, "supertonic");
const LAYOUTS = [OWN, join(SPEECH, "supertonic-transformers")];
const { signal } = new AbortController();

for (const folder of LAYOUTS) {
  const cases: Case[] = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
  test.each(cases)(`${folder.slice(SPEECH.length + 1)}: "$text" in $language by $voice, $steps steps`, async (each) => {
    const { length, samples, ...said } = each;
    const voice = await loadVoice(openFolder(folder));
    const sound = await voice.speak({ ...said, signal });
    expect([voice.rate, sound.length]).toEqual([4000, length]);
    const loudest = Math.max(...samples.map(Math.abs));
    for (const [i, value] of samples.entries())
      expect(Math.abs((sound[i * 5] ?? 9) - value) / loudest).toBeLessThan(1e-4);
  });
}

const voice = await loadVoice(openFolder(OWN));
const said = async (wish: Partial<Utterance>, by = voice) =>
  await by.speak({ text: "hello there", speed: 1, seed: 1, signal, ...wish });

describe("languages", () => {
  test("are told by their tags; without a wish it is any", async () => {
    const plain = await said({});
    expect(await said({ language: "na" })).toEqual(plain);
    const portuguese = await said({ language: "pt" });
    expect(portuguese).not.toEqual(plain);
    for (const language of ["pt-BR", "PT_br"]) expect(await said({ language })).toEqual(portuguese);
    await expect(said({ language: "tlh" })).rejects.toMatchObject({
      problems: [{ loc: ["body", "language"], msg: expect.stringContaining("na, en, ko") }],
    });
  });

  test("are found out by the letters that a release knows", async () => {
    const knowing = (letters: string) => languagesOf(async (letter) => letters.includes(letter));
    expect(await knowing("ab")).toEqual({ codes: ["en"], areTagged: false });
    expect(await knowing("ab\u1100")).toEqual({ codes: ["en", "ko", "es", "pt", "fr"], areTagged: true });
    expect((await knowing("ab\u1100ж")).codes).toHaveLength(32);
  });

  test("the first release speaks English without tags", async () => {
    const indexer: number[] = await openFolder(OWN).json("onnx/unicode_indexer.json");
    const folder = await mkdtemp(join(tmpdir(), "forecourt-supertonic-"));
    await mkdir(join(folder, "onnx"));
    // Neither Hangul nor accents.
    await writeFile(join(folder, "onnx/unicode_indexer.json"), JSON.stringify(indexer.slice(0, 0x300)));
    try {
      const english = await loadVoice(openOverlay([folder, OWN]));
      expect(await said({ language: "en-US" }, english)).toEqual(await said({}, english));
      expect((await said({}, english)).length).toBeLessThan((await said({})).length);
      expect(await said({ text: "Voilà" }, english)).toEqual(await said({ text: "Voila" }, english));
      await expect(said({ language: "fr" }, english)).rejects.toMatchObject({ code: "invalid_input" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("letters", () => {
  test("signs that it never learned are left out, letters are named", async () => {
    expect(await said({ text: "a ={b}" })).toEqual(await said({ text: "a b" }));
    expect(await said({ text: "a\u00a0\tb" })).toEqual(await said({ text: "a b" }));
    for (const folder of LAYOUTS) {
      const failing = said({ text: "hello 世界, 世" }, await loadVoice(openFolder(folder)));
      await expect(failing).rejects.toMatchObject({
        code: "invalid_input",
        problems: [{ loc: ["body", "text"], msg: expect.stringContaining("cannot read these letters: 世 界") }],
      });
    }
  });

  test("what nothing can be said of is no sound", async () => {
    expect(await said({ text: "🙂 ... !" })).toHaveLength(0);
  });

  test("long texts are said in parts, shorter ones in Korean", async () => {
    const parts = async (text: string, language: string) =>
      (await said({ text: text.repeat(2), language })).length > 1.5 * (await said({ text, language })).length;
    const long = "와 ".repeat(59).trim();
    expect(await parts(`${long}, `, "ko")).toBe(true);
    // Noise goes on from part to part.
    const twice = await said({ text: `${long}, ${long}`, language: "ko" });
    const once = await said({ text: `${long},`, language: "ko" });
    expect(twice.subarray(0, once.length)).toEqual(once);
    expect(twice.subarray(once.length)).not.toEqual(once);
  });
});

const say = (input: Record<string, unknown>, wantsPartials = false) =>
  runOnce(speak, { assets: openFolder(OWN), input, wantsPartials });

test("the pipeline says sentences one by one, the same way again for a seed, in as many steps as are asked for", async () => {
  const input = { text: "Hello there. A small world!", seed: 7, num_inference_steps: 3, voice: "M1" };
  const { steps, output, files } = await say(input, true);
  const told = steps.flatMap((step) => (step.type === "partial" ? [step.value as { text: string }] : []));
  expect(told.map(({ text }) => text)).toEqual(["Hello there.", "A small world!"]);
  const sound = decodeWav(files.get("speech.wav") ?? new Uint8Array());
  const [first, second] = [0, 1].map(
    async (i) => await said({ text: told[i]?.text ?? "", seed: 7 + i, steps: 3, voice: "M1" }),
  );
  expect(sound?.samples.length).toBe(((await first)?.length ?? 0) + ((await second)?.length ?? 0) + 800);
  expect(output).toMatchObject({ sample_rate: 4000, seed: 7 });
  const wavOf = async (more: object) => (await say({ ...input, ...more })).files.get("speech.wav") ?? new Uint8Array();
  const again = files.get("speech.wav") ?? new Uint8Array();
  expect(await wavOf({})).toEqual(again);
  for (const more of [{ seed: 8 }, { num_inference_steps: 4 }, { voice: "F1" }])
    expect(await wavOf(more)).not.toEqual(again);
  expect((await wavOf({ speed: 2 })).length).toBeLessThan(again.length * 0.6);
  await expect(say({ ...input, num_inference_steps: 0 })).rejects.toMatchObject({ code: "invalid_input" });
});

test("models that take no steps say so", async () => {
  const vits = openFolder(join(SPEECH, "vits"));
  await expect(runOnce(speak, { assets: vits, input: { text: "a", num_inference_steps: 4 } })).rejects.toMatchObject({
    problems: [{ loc: ["body", "num_inference_steps"] }],
  });
});

test("a cancelled request stops between steps", async () => {
  const gone = AbortSignal.abort(new Error("gone"));
  await expect(said({ signal: gone })).rejects.toThrow("gone");
});

test("voices are listed, and a file that is none is named", async () => {
  expect(voice.voices).toEqual(["F1", "F2", "M1"]);
  await expect(say({ text: "a", voice: "nova" })).rejects.toMatchObject({
    problems: [{ msg: expect.stringContaining("F1, F2, M1") }],
  });
  const folder = await mkdtemp(join(tmpdir(), "forecourt-supertonic-"));
  await mkdir(join(folder, "voice_styles"));
  const dims = [1, 2, 2];
  const broken = { style_ttl: { dims, data: [[[1, 2]]] }, style_dp: { dims, data: [[[1, 2], [3]]] } };
  await writeFile(join(folder, "voice_styles/X9.json"), JSON.stringify(broken));
  try {
    const odd = await loadVoice(openOverlay([folder, OWN]));
    await expect(said({ voice: "X9" }, odd)).rejects.toMatchObject({
      code: "weights_missing",
      details: { file: "voice_styles/X9.json" },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
