import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ForecourtError } from "../../../src/core/errors.ts";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { parse } from "../../../src/core/schema.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { samplerChoiceNames } from "../../../src/engine/samplers/choices.ts";
import { createSampler } from "../../../src/engine/samplers/registry.ts";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import { openFolder, runOnce } from "../support/load.ts";

const TINY = join(import.meta.dir, "../tiny");
const assets = openFolder(join(TINY, "optimum"));
const draw = (input: Record<string, unknown>, more: { signal?: AbortSignal } = {}) =>
  runOnce(textToImage, { assets, input: { prompt: "a", output_format: "png", ...input }, ...more });

const decoded = async (files: Map<string, Uint8Array>, name: string) => {
  const bytes = files.get(name);
  if (!bytes) throw new Error(`${name} was not saved`);
  return await assets.codec.decode(bytes);
};

const largestDifference = (a: Pixels, b: Pixels) =>
  a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] ?? 0))), 0);

describe("a run on the tiny model", () => {
  test("gives fal's answer, its units and one progress step for each model call", async () => {
    const { output, steps, units, files } = await draw({ seed: 5, num_images: 2, num_inference_steps: 3 });
    expect(output).toMatchObject({ seed: 5, has_nsfw_concepts: [false, false], prompt: "a" });
    expect(output.timings.inference).toBeGreaterThan(0);
    expect(output.images).toEqual(
      ["image-1.png", "image-2.png"].map((name) => ({
        url: `forecourt-file:${name}`,
        file_name: name,
        file_size: files.get(name)?.length ?? -1,
        content_type: "image/png",
        width: 64,
        height: 64,
      })),
    );
    expect(units).toEqual({ images: 2, megapixels: (2 * 64 * 64) / 1e6, steps: 6 });
    expect(steps.slice(0, -1)).toEqual([1, 2, 3].map((at) => ({ type: "progress", at, of: 3 })));
  });

  test("computes what the model's formula, the sampler and guidance say", async () => {
    const { files } = await draw({ seed: 9, num_inference_steps: 4, guidance_scale: 3, negative_prompt: "b" });
    expect(largestDifference(await decoded(files, "image-1.png"), expectedPicture())).toBeLessThanOrEqual(1);
  });

  test("repeats itself for the same seed and differs for another", async () => {
    const [first, again, other] = [await draw({ seed: 1 }), await draw({ seed: 1 }), await draw({ seed: 2 })];
    expect(again.files).toEqual(first.files);
    expect(other.files).not.toEqual(first.files);
  });

  test("starts a batch with the picture of a single run", async () => {
    const [single, batch] = [await draw({ seed: 1 }), await draw({ seed: 1, num_images: 3 })];
    const [a, b] = [await decoded(single.files, "image-1.png"), await decoded(batch.files, "image-1.png")];
    expect(largestDifference(a, b)).toBeLessThanOrEqual(1);
    expect(await decoded(batch.files, "image-2.png")).not.toEqual(a);
  });

  test("leaves the negative prompt out when guidance is off", async () => {
    const run = (guidance_scale: number, negative_prompt: string) =>
      draw({ seed: 1, num_inference_steps: 4, guidance_scale, negative_prompt });
    expect((await run(1, "b")).files).toEqual((await run(0, "")).files);
    expect((await run(3, "b")).files).not.toEqual((await run(3, "")).files);
  });

  test("takes seeds of more than 32 bits, as torch does", async () => {
    const large = await draw({ seed: 2 ** 40 + 7, num_inference_steps: 2 });
    expect(large.output.seed).toBe(2 ** 40 + 7);
    expect(large.files).toEqual((await draw({ seed: 7, num_inference_steps: 2 })).files);
  });

  test("draws a seed when none is given and returns it", async () => {
    const [first, second] = [await draw({}), await draw({})];
    expect(first.output.seed).not.toBe(second.output.seed);
    expect((await draw({ seed: first.output.seed })).files).toEqual(first.files);
  });

  test("puts the picture into the answer in sync mode and writes no file", async () => {
    const { output, files } = await draw({ sync_mode: true, output_format: "webp" });
    expect(files.size).toBe(0);
    const [image] = output.images;
    expect(image?.url).toStartWith("data:image/webp;base64,");
    const bytes = Buffer.from(image?.url.split(",")[1] ?? "", "base64");
    expect(bytes.length).toBe(image?.file_size ?? -1);
    expect(await assets.codec.decode(bytes)).toMatchObject({ width: 64, height: 64 });
  });

  test("draws presets at their size and other sizes at the nearest one that the model can draw", async () => {
    const sizes = async (image_size: unknown) => {
      const [image] = (await draw({ image_size, num_inference_steps: 1 })).output.images;
      return [image?.width, image?.height];
    };
    expect(await sizes("square")).toEqual([512, 512]);
    expect(await sizes({ width: 71, height: 105 })).toEqual([64, 112]);
    expect(await sizes({ width: 128 })).toEqual([128, 512]);
  });

  test("says in the log what it draws and what of the prompt it cannot read", async () => {
    const { log } = await draw({ prompt: "a ".repeat(755), seed: 3, num_inference_steps: 2 });
    expect(log).toEqual([
      "drawing 1 of 64x64 in 2 steps, seed 3",
      "the prompt is too long: its last 5 tokens are not read",
    ]);
    const few = { seed: 3, num_inference_steps: 1 };
    expect((await draw({ ...few, negative_prompt: "a ".repeat(755) })).log.slice(1)).toEqual([
      "the negative prompt is too long: its last 5 tokens are not read",
    ]);
    expect((await draw({ ...few, negative_prompt: "b", guidance_scale: 1 })).log.slice(1)).toEqual([
      "the negative prompt is not read with guidance_scale of 1 or less",
    ]);
    expect((await draw({ ...few, guidance_scale: 1 })).log).toHaveLength(1);
  });

  test("steps the way that the caller chooses, for every choice", async () => {
    const own = await draw({ seed: 6, num_inference_steps: 3 });
    for (const scheduler of samplerChoiceNames) {
      const chosen = await draw({ seed: 6, num_inference_steps: 3, scheduler });
      expect(chosen.steps.length - 1).toBe(scheduler === "PNDM" ? 4 : 3);
      if (scheduler === "DDIM") expect(chosen.files).toEqual(own.files);
      else expect(chosen.files).not.toEqual(own.files);
    }
  });

  test("stops between two steps when it is aborted", async () => {
    const controller = new AbortController();
    const run = await textToImage.load(assets);
    const task = {
      input: parse(textToImage.input, { prompt: "a", num_inference_steps: 50 }),
      media: () => Promise.reject(new Error("no media")),
      save: () => Promise.reject(new Error("nothing to save")),
      log: () => {},
    };
    const reason = new ForecourtError("client_cancelled", "cancelled");
    let seen = 0;
    const all = (async () => {
      for await (const { step } of run([task], controller.signal)) {
        if (step.type === "progress" && ++seen === 3) controller.abort(reason);
      }
    })();
    // Not expect(...).rejects: it turns the event loop from inside, where a graph's result may never arrive.
    expect(await all.catch((error) => error)).toBe(reason);
    expect(seen).toBe(3);
  });

  test("refuses more steps than the model's schedule has, naming the field", async () => {
    const short = { _class_name: "DDIMScheduler", num_train_timesteps: 10 };
    const json = async <T>(path: string) => (path.startsWith("scheduler") ? short : await assets.json<T>(path)) as T;
    const input = { prompt: "a", num_inference_steps: 11 };
    const failure = await runOnce(textToImage, { assets: { ...assets, json }, input }).catch((error) => error);
    expect(failure).toMatchObject({ code: "invalid_input", problems: [{ loc: ["body", "num_inference_steps"] }] });
  });
});

test("along a flow there are Euler, which is its own, and UniPC; other ways and settings are refused by the field", async () => {
  const families = join(import.meta.dir, "../../reference/families");
  const flow = openFolder(join(families, "sd3"));
  const drawn = (more: Record<string, unknown>) =>
    runOnce(textToImage, {
      assets: flow,
      input: { prompt: "a", seed: 6, num_inference_steps: 3, image_size: { width: 64, height: 64 }, ...more },
    });
  const own = await drawn({});
  expect((await drawn({ scheduler: "Euler" })).files).toEqual(own.files);
  expect((await drawn({ scheduler: "UniPC" })).files).not.toEqual(own.files);
  for (const wish of [{ scheduler: "DDIM" }, { eta: 0.5 }, { scheduler: "UniPC", prediction_type: "epsilon" }])
    await expect(drawn(wish)).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "scheduler"] }],
    });
});

test("what a request says of the prediction comes before the repository's word", async () => {
  const wish = { prompt: "a", seed: 6, num_inference_steps: 3, image_size: { width: 64, height: 64 } };
  const drawn = async (more: Record<string, unknown>) =>
    (await runOnce(textToImage, { assets, input: { ...wish, ...more } })).files;
  const own = await drawn({});
  expect(await drawn({ prediction_type: "epsilon", eta: 0 })).toEqual(own);
  expect(await drawn({ prediction_type: "v_prediction" })).not.toEqual(own);
  expect(await drawn({ rescale_betas_snr_zero: true, scheduler: "Euler" })).not.toEqual(
    await drawn({ scheduler: "Euler" }),
  );
});

test("a repository of another family is refused when it is loaded", async () => {
  const json = async <T>(path: string) =>
    (path === "model_index.json" ? { _class_name: "KandinskyPipeline" } : await assets.json<T>(path)) as T;
  await expect(textToImage.load({ ...assets, json })).rejects.toMatchObject({
    code: "misconfigured",
    message: expect.stringContaining("KandinskyPipeline"),
  });
});

test("the legacy layout, in float16 and without configs, draws too", async () => {
  const legacy = openFolder(join(TINY, "legacy"));
  const { output, files } = await runOnce(textToImage, {
    assets: legacy,
    input: {
      prompt: "a",
      seed: 4,
      num_inference_steps: 2,
      image_size: { width: 64, height: 64 },
      output_format: "png",
    },
  });
  expect(output.images[0]).toMatchObject({ width: 64, height: 64 });
  const { data } = await decoded(files, "image-1.png");
  expect(new Set(data).size).toBeGreaterThan(10);
});

/** The tiny model in closed form (test/engine/tiny/make.py): seed 9, four DDIM steps, scale 3, prompt a, negative b. */
function expectedPicture(): Pixels {
  const config = {
    _class_name: "DDIMScheduler",
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: "scaled_linear",
    clip_sample: false,
    set_alpha_to_one: false,
    steps_offset: 1,
  };
  const sampler = createSampler(config, 4);
  let sample: Float32Array = createRandom(9).normal(4 * 8 * 8);
  for (const [index, timestep] of sampler.timesteps.entries()) {
    const [away, towards] = [meanOfText("b"), meanOfText("a")];
    const modelOutput = sample.map((value) => 0.3 * value + 0.0005 * timestep + 0.05 * (away + 3 * (towards - away)));
    sample = sampler.step({ modelOutput, sample, index, noise: () => new Float32Array(256) });
  }
  const data = new Uint8Array(64 * 64 * 3);
  for (let i = 0; i < data.length; i++) {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % 64, Math.floor(i / 3 / 64)];
    const value = (sample[channel * 64 + Math.floor(y / 8) * 8 + Math.floor(x / 8)] ?? 0) / 0.5;
    data[i] = Math.round(Math.min(1, Math.max(0, value / 2 + 0.5)) * 255);
  }
  return { data, width: 64, height: 64, channels: 3 };
}

/** Start mark, the letter at a word's end, and end marks up to 77: each row of the table is sin(id + column / 10). */
function meanOfText(letter: "a" | "b"): number {
  const END = 513;
  const ids = [512, 256 + letter.charCodeAt(0) - 33, ...new Array(75).fill(END)];
  const values = ids.flatMap((id) => Array.from({ length: 8 }, (_, column) => Math.sin(id + column / 10)));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
