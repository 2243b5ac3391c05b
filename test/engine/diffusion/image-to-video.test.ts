// A tiny Stable Video Diffusion of random weights against Python's diffusers (test/reference/families/video.py), and the pipeline.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { parse } from "../../../src/core/schema.ts";
import { loadImageToVideoModel } from "../../../src/engine/diffusion/video/image-to-video-model.ts";
import { imageToVideo } from "../../../src/engine/pipelines/image-to-video.ts";
import { createSampler } from "../../../src/engine/samplers/registry.ts";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(120_000);

const FOLDER = join(import.meta.dir, "../../reference/families/svd");

type Case = {
  name: string;
  seed: number;
  width: number;
  height: number;
  frames: number;
  steps: number;
  fps: number;
  bucket: number;
  noise: number;
  picture: string;
  /** Guidance of the first and the last frame. */
  least: number;
  most: number;
  /** In latents.bin: first number, and [steps, 1, frames, channels, height, width]. */
  latents: { at: number; shape: number[] };
};
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const latents = new Float32Array(new Uint8Array(readFileSync(join(FOLDER, "latents.bin"))).buffer);
const assets = openFolder(FOLDER);
const picture = async (name: string) => await assets.codec.decode(readFileSync(join(FOLDER, name)));

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return most;
};

describe("the model", () => {
  test.each(cases.map((each) => [each.name, each] as const))(
    "makes diffusers' latents and frames: %s",
    async (_, given) => {
      const { name, width, height, frames, steps, seed, fps, bucket: motion, noise, least: first, most: last } = given;
      const model = await loadImageToVideoModel(assets);
      expect(model.multiple).toBe(8);
      const filming = model.film({
        picture: await picture(given.picture),
        ...{ size: { width, height }, frames, steps, fps, motion, noise, guidance: { first, last } },
        random: createRandom(seed),
        signal: new AbortController().signal,
      });
      const size = given.latents.shape.slice(1).reduce((product, each) => product * each, 1);
      let next = await filming.next();
      for (; !next.done; next = await filming.next()) {
        const from = given.latents.at + (next.value.at - 1) * size;
        const expected = latents.subarray(from, from + size);
        const largest = expected.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
        expect(farthest(next.value.latents, expected) / largest).toBeLessThan(1e-4);
      }
      const expected = await assets.codec.decode(readFileSync(join(FOLDER, `${name}.png`)));
      const area = width * height * 3;
      const made: Pixels[] = await Array.fromAsync(next.value);
      expect(made).toHaveLength(frames);
      for (const [at, { data }] of made.entries())
        expect(farthest(data, expected.data.subarray(at * area, (at + 1) * area))).toBeLessThanOrEqual(2);
    },
  );
});

test("levels of noise that only Euler reads are refused for other samplers", () => {
  const config = { timestep_type: "continuous", sigma_min: 0.002, sigma_max: 700, prediction_type: "v_prediction" };
  expect(
    createSampler({ ...config, _class_name: "EulerDiscreteScheduler", use_karras_sigmas: true }, 4).timesteps[0],
  ).toBeCloseTo(0.25 * Math.log(700), 4);
  expect(() => createSampler({ ...config, _class_name: "DDIMScheduler" }, 4)).toThrow("timestep_type");
});

describe("the pipeline", () => {
  const small = {
    image_url: `data:image/png;base64,${readFileSync(join(FOLDER, "picture.png")).toString("base64")}`,
    num_frames: 4,
    num_inference_steps: 2,
    video_size: { width: 64, height: 64 },
    fps: 4,
  };

  test("gives an MP4 with fal's facts about it, and counts its seconds", async () => {
    const { output, units, steps, log, files } = await runOnce(imageToVideo, { assets, input: { ...small, seed: 5 } });
    expect(output).toMatchObject({
      video: { content_type: "video/mp4", width: 64, height: 64, fps: 4, duration: 1, num_frames: 4 },
      seed: 5,
    });
    expect(files.get("video.mp4")?.length).toBe(output.video.file_size);
    expect(units).toEqual({ seconds: 1, steps: 2, requests: 1 });
    expect(imageToVideo.estimate?.(parse(imageToVideo.input, small))).toEqual(units);
    expect(steps.map(({ type }) => type)).toEqual(["progress", "progress", "output"]);
    expect(log).toEqual(["making 4 frames of 64x64 in 2 steps, seed 5"]);
  });

  test("moves more, and otherwise, by what the request says", async () => {
    const made = async (more: object) =>
      (await runOnce(imageToVideo, { assets, input: { ...small, seed: 5, sync_mode: true, ...more } })).output.video
        .url;
    const usual = await made({});
    expect(await made({})).toHaveLength(usual.length);
    for (const more of [{ motion_bucket_id: 255 }, { cond_aug: 1 }, { max_guidance_scale: 1 }])
      expect(await made(more)).not.toBe(usual);
  });

  test("names the field of what is no picture, and refuses another number of frames", async () => {
    await expect(
      runOnce(imageToVideo, { assets, input: { ...small, image_url: "data:text/plain,hello" } }),
    ).rejects.toMatchObject({ code: "invalid_input", problems: [{ loc: ["body", "image_url"] }] });
    await expect(runOnce(imageToVideo, { assets, input: { ...small, num_frames: 6 } })).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "num_frames"] }],
    });
  });
});
