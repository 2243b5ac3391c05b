// Motion capture and motion from words by fal's own client, on tiny models behind a real server and runner.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FalClient, ValidationError } from "@fal-ai/client";
import { encodeVideo } from "../../src/engine/media/video/encode-video.ts";
import { createPause } from "../../src/engine/pause.ts";
import { validate } from "../engine/support/gltf.ts";
import { decode } from "../engine/support/vision.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";
import { falClientOf } from "./hosts-on-box.ts";

setDefaultTimeout(120_000);

const MOTION = join(import.meta.dir, "../reference/motion");
const models = [
  testModel("tiny/capture", {
    ...{ category: "image-to-3d", pipeline: "capture-motion", source: { path: join(MOTION, "pose") } },
    price: { unit: "image", amount: 0.5, currency: "USD" },
  }),
  testModel("tiny/words", {
    ...{ category: "text-to-3d", pipeline: "text-to-motion", source: { path: join(MOTION, "clip-six") } },
    price: { unit: "second", amount: 0.5, currency: "USD" },
  }),
];

let server: LiveServer;
let fal: FalClient;
let frames: string[];

beforeAll(async () => {
  server = await startServer({ models });
  fal = falClientOf(server);
  const bytes = await Promise.all([0, 1, 2, 3].map((at) => readFile(join(MOTION, `frames/${at}.png`))));
  frames = bytes.map((each) => `data:image/png;base64,${each.toString("base64")}`);
}, 60_000);
afterAll(() => server?.[Symbol.asyncDispose]());

const bytesAt = async (url: string) => {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return { bytes: new Uint8Array(await response.arrayBuffer()), type: response.headers.get("content-type") };
};

test("frames become files of a skeleton that moves, and points of which the lost ones are told", async () => {
  const input = { image_urls: frames, fps: 12 };
  const { data: answer } = await fal.subscribe("tiny/capture", { input });
  expect(answer).toMatchObject({ fps: 12, num_frames: 4, missing_frames: [2] });
  expect(answer.frames[1].joints).toHaveLength(answer.joint_names.length);
  const glb = await bytesAt(answer.model_glb.url);
  expect(glb.type).toBe("model/gltf-binary");
  expect((await validate(glb.bytes)).issues.messages).toEqual([]);
  const bvh = await bytesAt(answer.bvh_file.url);
  expect(new TextDecoder().decode(bvh.bytes)).toMatch(/^HIERARCHY[\s\S]*Frames: 4\nFrame Time: 0.08333333\n/);
});

test("a film is one file, and its own times count", async () => {
  const bytes = await readFile(join(MOTION, "films/film.png"));
  const image_url = `data:image/png;base64,${bytes.toString("base64")}`;
  const { data: answer } = await fal.run("tiny/capture", { input: { image_url, score_threshold: 0 } });
  // 40 + 80 + 40 + 100 + 120 milliseconds for five frames, put in even steps.
  expect(answer.fps).toBeCloseTo(5 / 0.38, 6);
  expect(answer.num_frames).toBe(5);
});

test("a video goes up as a file, and comes back as a skeleton that moves as long as it", async () => {
  const pictures = await Promise.all(
    [0, 1, 0].map(async (at) => decode(await readFile(join(MOTION, `frames/${at}.png`)))),
  );
  const { bytes } = await encodeVideo(pictures, { fps: 10, pause: createPause(undefined) });
  const video_url = await fal.storage.upload(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "video/mp4" }));
  const { data: answer } = await fal.subscribe("tiny/capture", { input: { video_url } });
  expect(answer).toMatchObject({ num_frames: 3, fps: 10, missing_frames: [] });
});

test("a frame costs as a picture does", async () => {
  const response = await fetch(`${server.origin}/run/tiny/capture`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ image_urls: frames.slice(0, 2) }),
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("x-fal-billable-units")).toBe("2");
});

test("who cancels does not wait for the frames that are left, and the next request is answered", async () => {
  const image_urls = Array.from({ length: 300 }, (_, i) => frames[i % 2] ?? "");
  const { request_id: requestId } = await fal.queue.submit("tiny/capture", { input: { image_urls } });
  const status = await fal.queue.streamStatus("tiny/capture", { requestId });
  for await (const each of status) if (each.status === "IN_PROGRESS") break;
  await fal.queue.cancel("tiny/capture", { requestId });
  const ended = await fal.queue.streamStatus("tiny/capture", { requestId });
  expect(await ended.done()).toMatchObject({ status: "COMPLETED", error_type: "client_cancelled" });
  const failure = await fal.queue.result("tiny/capture", { requestId }).catch((error) => error);
  expect(failure).toMatchObject({ status: 499, body: { error_type: "client_cancelled" } });
  const { data: answer } = await fal.run("tiny/capture", { input: { image_urls: frames.slice(0, 1) } });
  expect(answer.num_frames).toBe(1);
});

test("nobody to be seen is fal's ValidationError, with the field", async () => {
  const [, , dark = ""] = frames;
  const failure = await fal.run("tiny/capture", { input: { image_urls: [dark, dark] } }).catch((error) => error);
  expect(failure).toBeInstanceOf(ValidationError);
  expect(failure.getFieldErrors("image_urls")).toMatchObject([{ msg: expect.stringContaining("Nobody was found") }]);
});

test("words become a skeleton that moves, the same for the same seed", async () => {
  const { data: first } = await fal.subscribe("tiny/words", { input: { prompt: "She waves.", seed: 7 } });
  expect(first).toMatchObject({ action: "wave", ignored_words: ["she"], seed: 7, num_frames: 6, fps: 30 });
  const { data: second } = await fal.run("tiny/words", { input: { prompt: "She waves.", seed: 7 } });
  expect((await bytesAt(second.bvh_file.url)).bytes).toEqual((await bytesAt(first.bvh_file.url)).bytes);
  expect((await validate((await bytesAt(first.model_glb.url)).bytes)).issues.messages).toEqual([]);
});

test("words that the model does not know are refused with those it does", async () => {
  const failure = await fal.run("tiny/words", { input: { prompt: "fly" } }).catch((error) => error);
  expect(failure).toBeInstanceOf(ValidationError);
  expect(failure.getFieldErrors("prompt")).toMatchObject([{ ctx: { expected: ["walk", "run", "wave", "sit"] } }]);
});
