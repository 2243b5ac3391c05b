// Videos through fal's own client by tiny models: the file is what ffprobe and a real browser take it for.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FalClient, ValidationError } from "@fal-ai/client";
import { chromium } from "playwright-core";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { falClientOf } from "./hosts-on-box.ts";

setDefaultTimeout(120_000);

const FAMILIES = join(import.meta.dir, "../reference/families");
const CHROMIUM = process.env.FORECOURT_CHROMIUM ?? "/usr/bin/chromium";
const ffprobe = Bun.which("ffprobe");

const modelscope = `
id: test/modelscope
title: Tiny text-to-video model
description: Random weights.
category: text-to-video
licence: { id: Apache-2.0, commercial: true }
pipeline: text-to-video
aliases: [fal-ai/fast-animatediff/text-to-video]
source: { path: ${join(FAMILIES, "modelscope")} }
memory: { weights: 1000000, working: 1000000 }
price: { unit: second, amount: 0.5, currency: USD }
`;

const svd = `
id: test/svd
title: Tiny model that lets pictures move
description: Random weights.
category: image-to-video
licence: { id: Apache-2.0, commercial: true }
pipeline: image-to-video
aliases: [fal-ai/fast-svd]
source: { path: ${join(FAMILIES, "svd")} }
memory: { weights: 6000000, working: 60000000 }
defaults: { num_frames: 4, video_size: { width: 128, height: 64 } }
price: { unit: second, amount: 0.5, currency: USD }
`;

let server: LiveServer;
let fal: FalClient;
beforeAll(async () => {
  const models = [
    { file: "models/modelscope.yaml", text: modelscope },
    { file: "models/svd.yaml", text: svd },
  ];
  server = await startServer({ models });
  fal = falClientOf(server);
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

type Video = { url: string; content_type: string; width: number; height: number; fps: number; num_frames: number };
type Answer = { data: { video: Video; seed: number } };

const endpoint = "fal-ai/fast-animatediff/text-to-video";
const input = {
  prompt: "a big red circle",
  num_frames: 4,
  num_inference_steps: 3,
  fps: 8,
  video_size: { width: 128, height: 96 },
  seed: 3,
};

const codecOf = (path: string) => {
  const told = Bun.spawnSync([ffprobe ?? "", "-v", "error", "-show_streams", "-count_frames", "-of", "json", path]);
  return JSON.parse(told.stdout.toString()).streams[0];
};

test("fal's client gets a video in fal's words, of the frames, rate and size that it asked for", async () => {
  const logs: string[] = [];
  const { data: answer } = (await fal.subscribe<string>(endpoint, {
    input,
    logs: true,
    onQueueUpdate: (update) => "logs" in update && logs.push(...(update.logs ?? []).map(({ message }) => message)),
  })) as Answer;
  expect(Object.keys(answer).sort()).toEqual(["seed", "video"]);
  expect(answer.seed).toBe(3);
  expect(answer.video).toMatchObject({ content_type: "video/mp4", width: 128, height: 96, fps: 8, num_frames: 4 });
  const file = await fetch(answer.video.url);
  expect(file.headers.get("content-type")).toBe("video/mp4");
  const bytes = await file.bytes();
  if (ffprobe) {
    const path = join(server.data, "video.mp4");
    await writeFile(path, bytes);
    expect(codecOf(path)).toMatchObject({
      codec_name: "h264",
      width: 128,
      height: 96,
      avg_frame_rate: "8/1",
      nb_read_frames: "4",
    });
  }
  const part = await fetch(answer.video.url, { headers: { range: "bytes=0-99" } });
  expect(part.status).toBe(206);
  expect((await part.bytes()).length).toBe(100);
});

test("a second of video costs what the model file says of a second", async () => {
  const answer = await fetch(`${server.origin}/run/${endpoint}`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  expect(answer.status).toBe(200);
  expect(Number(answer.headers.get("x-fal-billable-units"))).toBe(0.5);
  expect(answer.headers.get("x-forecourt-cost")).toStartWith("0.25");
});

test("what would change the video where it is known is refused with its field", async () => {
  const failure = await fal
    .run<string>(endpoint, { input: { ...input, motions: ["zoom-in"] } })
    .catch((error) => error);
  expect(failure).toBeInstanceOf(ValidationError);
  expect((failure as ValidationError).fieldErrors.map(({ loc }) => loc.at(-1))).toEqual(["motions"]);
});

test("a picture that is sent along moves, in fast-svd's words", async () => {
  const image = new Blob([await Bun.file(join(FAMILIES, "svd/picture.png")).bytes()], { type: "image/png" });
  const asked = { image_url: image, steps: 2, fps: 5, motion_bucket_id: 200, deep_cache: "none", seed: 9 };
  const { data: answer } = (await fal.subscribe<string>("fal-ai/fast-svd", { input: asked })) as Answer;
  expect(Object.keys(answer).sort()).toEqual(["seed", "video"]);
  expect(answer.video).toMatchObject({ content_type: "video/mp4", width: 128, height: 64, fps: 5, num_frames: 4 });
});

const launched = () =>
  chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });

test.skipIf(!existsSync(CHROMIUM))("a browser plays it to its end", async () => {
  const { data: answer } = (await fal.run<string>(endpoint, { input })) as Answer;
  await using browser = await launched();
  const page = await browser.newPage();
  // The page where people try models may show what they make.
  await page.goto(`${server.origin}/swagger`);
  const played = await page.evaluate(async (url) => {
    const video = document.createElement("video");
    video.muted = true;
    video.src = url;
    document.body.append(video);
    await new Promise((resolve, reject) => {
      video.onended = resolve;
      video.onerror = () => reject(new Error(video.error?.message));
      video.play().catch(reject);
    });
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const context = canvas.getContext("2d");
    context?.drawImage(video, 0, 0);
    const pixels = context?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return {
      width: video.videoWidth,
      height: video.videoHeight,
      duration: video.duration,
      colours: new Set(pixels).size,
    };
  }, answer.video.url);
  expect(played).toMatchObject({ width: 128, height: 96, duration: 0.5 });
  expect(played.colours).toBeGreaterThan(20);
});

test.skipIf(!existsSync(CHROMIUM)).each(["GIF (.gif)", "WEBP (.webp)"])(
  "as %s a browser shows it as a picture that moves",
  async (video_output_type) => {
    const { data: answer } = (await fal.run<string>("test/modelscope", {
      input: { ...input, video_output_type },
    })) as Answer;
    const type = video_output_type.startsWith("GIF") ? "image/gif" : "image/webp";
    expect(answer.video).toMatchObject({ content_type: type, width: 128, height: 96, fps: 8, num_frames: 4 });
    await using browser = await launched();
    const page = await browser.newPage();
    await page.goto(`${server.origin}/swagger`);
    const shown = await page.evaluate(
      async ({ url, type }) => {
        const bytes = await (await fetch(url)).arrayBuffer();
        const decoder = new ImageDecoder({ data: bytes, type });
        await Promise.all([decoder.tracks.ready, decoder.completed]);
        const { frameCount = 0, repetitionCount } = decoder.tracks.selectedTrack ?? {};
        let microseconds = 0;
        for (let frameIndex = 0; frameIndex < frameCount; frameIndex++)
          microseconds += (await decoder.decode({ frameIndex })).image.duration ?? 0;
        return { frameCount, microseconds, isEndless: repetitionCount === Number.POSITIVE_INFINITY };
      },
      { url: answer.video.url, type },
    );
    expect(shown).toEqual({ frameCount: 4, microseconds: 500_000, isEndless: true });
  },
);

test("more frames a second than a GIF can show are refused with their field", async () => {
  const asked = { ...input, fps: 60, video_output_type: "GIF (.gif)" };
  const failure = await fal.run<string>("test/modelscope", { input: asked }).catch((error) => error);
  expect((failure as ValidationError).fieldErrors.map(({ loc }) => loc.at(-1))).toEqual(["fps"]);
});
