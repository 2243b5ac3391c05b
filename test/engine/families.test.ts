// Tiny models of every diffusion family against Python's diffusers (made by the scripts of test/reference/families).
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Assets, Pixels } from "../../src/core/pipeline.ts";
import type { Tensor } from "../../src/core/tensor.ts";
import { loadAdaptableModel } from "../../src/engine/diffusion/adaptable-model.ts";
import { loadChatReader } from "../../src/engine/diffusion/chat-reader.ts";
import type { DiffusionModel } from "../../src/engine/diffusion/diffusion-model.ts";
import { readPrompts } from "../../src/engine/diffusion/drawing-prompts.ts";
import { fittedReference } from "../../src/engine/diffusion/reference-pictures.ts";
import { openRepository } from "../../src/engine/diffusion/repository.ts";
import { createPause } from "../../src/engine/pause.ts";
import { createRandom, joinedRandom, seedOfPicture } from "../../src/engine/tensor/random.ts";
import { loadT5Tokenizer } from "../../src/engine/text/t5-tokenizer.ts";
import { loadClipTokenizer } from "../../src/engine/text/tokenizer.ts";
import { openOverlay } from "./support/overlay.ts";

setDefaultTimeout(60_000);

const FAMILIES = join(import.meta.dir, "../reference/families");

type Case = {
  name: string;
  task: "text-to-image" | "image-to-image" | "inpaint" | "edit";
  prompt: string;
  negative_prompt: string;
  clip_skip?: number;
  prompt_weighting?: boolean;
  /** Each picture has a generator of its own. */
  seeds?: boolean;
  steps: number;
  seed: number;
  guidance: number;
  count: number;
  width: number;
  height: number;
  strength?: number;
  /** Files of pictures to go by. */
  references?: string[];
  loras?: { path: string; scale: number }[];
  control?: { picture: string; scale: number; span: [number, number] };
  scheduler?: Record<string, unknown>;
  /** In latents.bin: first number, and [steps, count, channels, height, width]. */
  latents: { at: number; shape: number[] };
  images: string[];
};
type Recorded = { ids: Record<string, number[]>; cases: Case[] };

const DRAWS_FROM = {
  "text-to-image": "prompt",
  "image-to-image": "picture",
  inpaint: "mask",
  edit: "references",
} as const;
/** How far latents may be from diffusers', relative to the largest, and pixels of 255. */
type Tolerance = { latents: number; pixels: number };
const FLOATS: Tolerance = { latents: 1e-4, pixels: 2 };
/** What lies between the layers has 11 bits: diffusers computed with 24, from the same weights. */
const HALVES: Tolerance = { latents: 5e-3, pixels: 6 };

/** Folder -> folders whose parts it shares. */
const folders: Record<string, string[]> = {
  sd: [],
  "sd-inpaint": ["sd"],
  "sd-prompts": ["sd"],
  "sd-2": ["sd"],
  "sd-turbo": ["sd"],
  "sd-half": ["sd"],
  "sd-8bit": ["sd"],
  "sd-4bit": ["sd"],
  "sd-fused": ["sd"],
  "sd-samplers": ["sd"],
  lcm: ["sd"],
  sdxl: [],
  "sdxl-prompts": ["sdxl"],
  "sdxl-turbo": ["sdxl"],
  "sdxl-lightning": ["sdxl"],
  sd3: [],
  "flux-dev": [],
  "flux-schnell": ["flux-dev"],
  "flux-single": ["flux-dev"],
  "flux-samplers": ["flux-dev"],
  "sd-lora": ["sd"],
  "flux-lora": ["flux-dev"],
  "sd-control": ["sd"],
  "sdxl-control": ["sdxl"],
  "flux-2-klein": [],
  "flux-2-klein-base": ["flux-2-klein"],
};

for (const [name, others] of Object.entries(folders)) {
  describe(`${name} agrees with diffusers`, () => {
    const folder = join(FAMILIES, name);
    const assets = openOverlay([folder, ...others.map((other) => join(FAMILIES, other))]);
    const { ids, cases }: Recorded = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
    const tolerance = name === "sd-half" ? HALVES : FLOATS;
    const latents = new Float32Array(new Uint8Array(readFileSync(join(folder, "latents.bin"))).buffer);

    if (ids.prompt && ids.negative) {
      test("the prompts become the same tokens", async () => {
        const tokenizer = await loadClipTokenizer(assets, "tokenizer");
        const first = cases[0];
        expect(tokenizer.encode(first?.prompt ?? "").ids).toEqual(ids.prompt ?? []);
        expect(tokenizer.encode("blurry stars").ids).toEqual(ids.negative ?? []);
      });
    }

    if (ids.t5) {
      test("the prompt becomes T5's tokens, cut at its length with the end token kept", async () => {
        const folder = name === "sd3" ? "tokenizer_3" : "tokenizer_2";
        const tokenizer = await loadT5Tokenizer(assets, { folder, maxLength: 512 });
        const { prompt = "" } = cases[0] ?? {};
        expect(tokenizer.encode(prompt).ids).toEqual(ids.t5 ?? []);
        const short = await loadT5Tokenizer(assets, { folder, maxLength: 4 });
        const wanted = [...(ids.t5 ?? []).slice(0, 3), ids.t5?.at(-1) ?? 0];
        expect(short.encode(prompt)).toEqual({ ids: wanted, dropped: (ids.t5?.length ?? 0) - 4 });
        expect(short.pad([5], 3)).toEqual([5, 0, 0]);
      });
    }

    if (ids.chat) {
      test("the prompt becomes the tokens of a conversation, padded and masked", async () => {
        let given: Record<string, Tensor> = {};
        const graph: Assets["graph"] = async (path) => {
          const opened = await assets.graph(path);
          const run: typeof opened.run = (inputs) => {
            given = inputs;
            return opened.run(inputs);
          };
          return { ...opened, run };
        };
        const read = await loadChatReader(openRepository({ ...assets, graph }), 512);
        expect(await read(cases[0]?.prompt ?? "")).toMatchObject({ tokens: 512, dropped: 0 });
        const numbers = Array.from(given.input_ids?.data ?? [], Number);
        const length = ids.chat?.length ?? 0;
        expect(numbers.slice(0, length)).toEqual(ids.chat ?? []);
        expect(Array.from(given.attention_mask?.data ?? [], Number)).toEqual(
          numbers.map((_, at) => (at < length ? 1 : 0)),
        );
        expect((await read("a big red circle ".repeat(120))).dropped).toBeGreaterThan(0);
      });
    }

    for (const each of cases) {
      test(`${each.name}: latents of each step within ${tolerance.latents}, pictures within ${tolerance.pixels}/255`, async () => {
        const models = await loadAdaptableModel(assets, {
          drawsFrom: each.control ? "control" : DRAWS_FROM[each.task],
        });
        const loras = (each.loras ?? []).map(async (lora) => ({ ...lora, bytes: await assets.bytes(lora.path) }));
        const model = await models.with(await Promise.all(loras));
        const { steps, pictures } = await drawn(model, assets, each);
        const [count = 0, ...rest] = each.latents.shape;
        const size = rest.reduce((product, value) => product * value, 1);
        expect(steps).toHaveLength(count);
        for (const [i, step] of steps.entries()) {
          const from = each.latents.at + i * size;
          expect(distance(step, latents.subarray(from, from + size))).toBeLessThan(tolerance.latents);
        }
        expect(pictures).toHaveLength(each.images.length);
        for (const [i, file] of each.images.entries()) {
          const wanted = await assets.codec.decode(new Uint8Array(readFileSync(join(folder, file))));
          expect(largestDifference(pictures[i], wanted)).toBeLessThanOrEqual(tolerance.pixels);
        }
      });
    }
  });
}

async function drawn(model: DiffusionModel, { codec }: Assets, wanted: Case) {
  const open = async (name: string) => await codec.decode(new Uint8Array(readFileSync(join(FAMILIES, name))));
  const { native: most, multiple } = model.size;
  const openReference = async (name: string) =>
    await fittedReference(await open(name), { most, multiple, pause: createPause() });
  const { strength, guidance: scale, seed, count, control } = wanted;
  const { prompt, negative } = await readPrompts(model, {
    clip_skip: 0,
    prompt_weighting: false,
    ...wanted,
    guidance_scale: scale,
  });
  const seeds = Array.from({ length: count }, (_, at) => seedOfPicture(seed, at));
  const drawing = model.draw({
    prompts: [prompt],
    ...(negative && { negatives: [negative] }),
    scale,
    size: { width: wanted.width, height: wanted.height },
    count,
    steps: wanted.steps,
    random: wanted.seeds ? joinedRandom(seeds.map(createRandom)) : createRandom(seed),
    ...(wanted.scheduler && { scheduler: wanted.scheduler }),
    ...(strength !== undefined && {
      given: {
        picture: await open("picture.png"),
        ...(wanted.task === "inpaint" && { mask: await open("mask.png") }),
        strength,
      },
    }),
    ...(control && { control: { ...control, picture: await open(control.picture) } }),
    ...(wanted.references && { references: await Promise.all(wanted.references.map(openReference)) }),
    signal: new AbortController().signal,
  });
  const steps: Float32Array[] = [];
  let next = await drawing.next();
  for (; !next.done; next = await drawing.next()) steps.push(next.value.latents);
  return { steps, pictures: next.value };
}

/** Largest difference, relative to the largest number. */
function distance(actual: Float32Array, wanted: Float32Array): number {
  expect(actual.length).toBe(wanted.length);
  let [most, largest] = [0, 0];
  for (const [i, value] of wanted.entries()) {
    most = Math.max(most, Math.abs(value - (actual[i] ?? Number.NaN)));
    largest = Math.max(largest, Math.abs(value));
  }
  return most / largest;
}

function largestDifference(actual: Pixels | undefined, wanted: Pixels): number {
  expect(actual).toMatchObject({ width: wanted.width, height: wanted.height, channels: 3 });
  return wanted.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual?.data[i] ?? 999))), 0);
}
