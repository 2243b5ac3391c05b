// A tiny text-to-video model of random weights against Python's diffusers (test/reference/families/video.py), and the pipeline.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Assets } from "../../../src/core/pipeline.ts";
import { parse } from "../../../src/core/schema.ts";
import { loadTextToVideoModel } from "../../../src/engine/diffusion/video/text-to-video-model.ts";
import { readVideo } from "../../../src/engine/media/video/read-video.ts";
import { textToVideo } from "../../../src/engine/pipelines/text-to-video.ts";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(120_000);

const FOLDER = join(import.meta.dir, "../../reference/families/modelscope");

type Case = {
  name: string;
  seed: number;
  width: number;
  height: number;
  frames: number;
  prompt: string;
  negative_prompt: string;
  steps: number;
  guidance: number;
  scheduler?: Record<string, unknown>;
  /** In latents.bin: first number, and [steps, 1, channels, frames, height, width]. */
  latents: { at: number; shape: number[] };
};
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const latents = new Float32Array(new Uint8Array(readFileSync(join(FOLDER, "latents.bin"))).buffer);
const assets = openFolder(FOLDER);

/** The same weights with another sampler. */
const withScheduler = (scheduler: Record<string, unknown> | undefined): Assets => ({
  ...assets,
  // The test's own stand-in for one file.
  json: async <T>(path: string) =>
    scheduler && path === "scheduler/scheduler_config.json" ? (scheduler as T) : await assets.json<T>(path),
});

describe("the model", () => {
  test.each(cases.map((each) => [each.name, each] as const))(
    "makes diffusers' latents and frames: %s",
    async (_, given) => {
      const { name, prompt, negative_prompt, guidance: scale, steps, seed, frames, width, height } = given;
      const model = await loadTextToVideoModel(withScheduler(given.scheduler));
      expect(model.size).toEqual({ native: { width: 32, height: 32 }, multiple: 8 });
      const filming = model.film({
        prompt: await model.encode(prompt),
        ...(scale > 1 && { negative: await model.encode(negative_prompt) }),
        ...{ scale, steps, frames, size: { width, height } },
        random: createRandom(seed),
        signal: new AbortController().signal,
      });
      const [, ...shape] = given.latents.shape;
      const size = shape.reduce((product, each) => product * each, 1);
      let next = await filming.next();
      for (; !next.done; next = await filming.next()) {
        const from = given.latents.at + (next.value.at - 1) * size;
        const expected = latents.subarray(from, from + size);
        const largest = expected.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
        const off = next.value.latents.reduce(
          (most, each, i) => Math.max(most, Math.abs(each - (expected[i] ?? 0))),
          0,
        );
        expect(off / largest).toBeLessThan(1e-4);
      }
      const expected = await assets.codec.decode(readFileSync(join(FOLDER, `${name}.png`)));
      const area = width * height * 3;
      let count = 0;
      for await (const { data } of next.value) {
        const wanted = expected.data.subarray(count * area, (count + 1) * area);
        expect(data.length).toBe(area);
        expect(
          data.reduce((most, each, i) => Math.max(most, Math.abs(each - (wanted[i] ?? 0))), 0),
        ).toBeLessThanOrEqual(2);
        count++;
      }
      expect(count).toBe(frames);
    },
  );
});

const small = {
  prompt: "a big red circle",
  num_frames: 4,
  num_inference_steps: 2,
  video_size: { width: 64, height: 64 },
};

describe("the pipeline", () => {
  test("gives an MP4 with fal's facts about it, and counts its seconds", async () => {
    const { output, files, units, steps, log } = await runOnce(textToVideo, { assets, input: { ...small, seed: 5 } });
    expect(output).toMatchObject({
      video: {
        content_type: "video/mp4",
        file_name: "video.mp4",
        width: 64,
        height: 64,
        fps: 8,
        duration: 0.5,
        num_frames: 4,
      },
      seed: 5,
    });
    expect(units).toEqual({ seconds: 0.5, steps: 2, requests: 1 });
    expect(textToVideo.estimate?.(parse(textToVideo.input, small))).toEqual(units);
    expect(steps.slice(0, -1)).toEqual([
      { type: "progress", at: 1, of: 2 },
      { type: "progress", at: 2, of: 2 },
    ]);
    expect(log).toEqual(["making 4 frames of 64x64 in 2 steps, seed 5"]);
    const bytes = files.get("video.mp4") ?? new Uint8Array();
    expect(bytes.length).toBe(output.video.file_size);
    const video = await readVideo({
      ...{ task: { media: async () => bytes }, url: "video", field: "video_url", signal: new AbortController().signal },
      bounds: { longestSeconds: 1, mostPixels: 64 * 64, mostFrames: 4 },
    });
    expect(video).toMatchObject({ fps: 8, duration: 0.5, codec: "avc" });
    expect(await Array.fromAsync(video.frames())).toHaveLength(4);
  });

  test("makes the same of the same seed, inside the answer where that is asked for", async () => {
    const input = { ...small, seed: 7, sync_mode: true };
    const [one, other] = [await runOnce(textToVideo, { assets, input }), await runOnce(textToVideo, { assets, input })];
    expect(one.output.video.url).toStartWith("data:video/mp4;base64,");
    expect(one.files.size).toBe(0);
    expect(other.output.video.file_size).toBe(one.output.video.file_size);
    const different = await runOnce(textToVideo, { assets, input: { ...input, seed: 8 } });
    expect(different.output.video.url).not.toBe(one.output.video.url);
  });

  test("says what is not read", async () => {
    const input = { ...small, prompt: "circle ".repeat(100), negative_prompt: "stars", guidance_scale: 1 };
    const { log } = await runOnce(textToVideo, { assets, input });
    expect(log.slice(1)).toEqual([
      expect.stringMatching(/^the prompt is too long: its last \d+ tokens are not read$/),
      "the negative prompt is not read with guidance_scale of 1 or less",
    ]);
  });

  test("ends between two steps when it is cancelled", async () => {
    const run = await textToVideo.load(assets);
    const cancelling = new AbortController();
    const input = parse(textToVideo.input, { ...small, num_inference_steps: 50 });
    const task = {
      input,
      media: async () => new Uint8Array(),
      save: () => Promise.reject(new Error("saved")),
      log() {},
    };
    let steps = 0;
    const finish = async () => {
      for await (const _ of run([task], cancelling.signal)) if (++steps === 2) cancelling.abort(new Error("cancelled"));
    };
    await expect(finish()).rejects.toThrow("cancelled");
    expect(steps).toBeLessThanOrEqual(3);
  });

  test("refuses another number of frames than its graph was exported for", async () => {
    await expect(runOnce(textToVideo, { assets, input: { ...small, num_frames: 5 } })).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "num_frames"], msg: "This model makes videos of 4 frames" }],
    });
  });

  test("refuses a repository of another kind", async () => {
    const other: Assets = {
      ...assets,
      has: () => true,
      json: async <T>() => ({ _class_name: "StableDiffusionPipeline" }) as T,
    };
    await expect(textToVideo.load(other)).rejects.toMatchObject({ code: "misconfigured" });
  });
});
