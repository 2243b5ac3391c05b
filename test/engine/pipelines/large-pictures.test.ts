// Pipelines with pictures of 12 megapixels on tiny graphs: a runner hears messages all the while, so that it can be cancelled.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { erase } from "../../../src/engine/pipelines/erase.ts";
import { estimateDepth } from "../../../src/engine/pipelines/estimate-depth.ts";
import { imageToImage } from "../../../src/engine/pipelines/image-to-image.ts";
import { removeBackground } from "../../../src/engine/pipelines/remove-background.ts";
import { segmentAll } from "../../../src/engine/pipelines/segment-all.ts";
import { segmentImage } from "../../../src/engine/pipelines/segment-image.ts";
import { upscale } from "../../../src/engine/pipelines/upscale.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { openFamily } from "../support/vision.ts";

setDefaultTimeout(300_000);

const [WIDTH, HEIGHT] = [4000, 3000];
const codec = createCodec();

/** Colours that change slowly, with a square that stands out. */
function photograph(): Pixels {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const isSquare = x > 1000 && x < 2500 && y > 800 && y < 2200;
      data.set(isSquare ? [220, 60, 40] : [x >> 4, y >> 4, (x + y) >> 5], (y * WIDTH + x) * 3);
    }
  return { data, width: WIDTH, height: HEIGHT, channels: 3 };
}

const picture = await codec.encode(photograph(), "png");
const diffusion = openFolder(join(import.meta.dir, "../../reference/families/sd"));
const small = await codec.encode({ data: new Uint8Array(300 * 200 * 3), width: 300, height: 200, channels: 3 }, "png");

/**
 * Milliseconds of work between two turns of the event loop, at most. Of the processor, not of the clock: other programs of
 * the machine do not count.
 */
function watchTurns() {
  let [most, isOver] = [0, false];
  let before = process.cpuUsage();
  const look = () => {
    const { user, system } = process.cpuUsage(before);
    most = Math.max(most, (user + system) / 1000);
    before = process.cpuUsage();
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  return async () => {
    isOver = true;
    await new Promise<void>((resolve) => setImmediate(resolve));
    return most;
  };
}

/** Between two turns; a cancelled job's runner has 30 seconds to hear of it. A twentieth of this is the aim. */
const MOST_WORK = 2000;

/** A job's assets and input, shown a picture. */
const given = (family: string, input: Record<string, unknown>, bytes = picture) => ({
  assets: openFamily(family),
  input: { image_url: "https://example.org/picture.png", ...input },
  media: async () => bytes,
});
const box_prompts = [{ x_min: 0.2, y_min: 0.2, x_max: 0.7, y_max: 0.8 }];
const everything = { points_per_side: 4, pred_iou_thresh: 0.5, stability_score_thresh: 0.5 };

test.each([
  ["a cut-out", () => runOnce(removeBackground.of({}), given("birefnet", {}))],
  ["a thing taken out", () => runOnce(erase, given("lama", { box_prompts, mask_expansion: 20 }))],
  ["a mask", () => runOnce(segmentImage, given("sam2", { prompts: [{ x: 1500, y: 1500 }] }))],
  ["all masks", () => runOnce(segmentAll, given("sam2", everything))],
  ["depths", () => runOnce(estimateDepth, given("depth/relative", {}))],
  ["a picture drawn anew", () => runOnce(imageToImage, { ...given("sam", { prompt: "a" }), assets: diffusion })],
  ["a picture made 8 times as large", () => runOnce(upscale.of({}), given("esrgan", { scale: 8 }, small))],
] as const)("%s: messages are let in again and again", async (_, run) => {
  const over = watchTurns();
  await run();
  expect(await over()).toBeLessThan(MOST_WORK);
});

test("a job that is cancelled while its picture is resized ends then", async () => {
  const stop = new AbortController();
  const reason = new Error("cancelled");
  // The first that is heard once the work goes on.
  const task = { ...given("birefnet", {}), signal: stop.signal };
  const media = async () => {
    setTimeout(() => stop.abort(reason), 0);
    return picture;
  };
  await expect(runOnce(removeBackground.of({}), { ...task, media })).rejects.toBe(reason);
});
