// Pipelines with pictures of 12 megapixels, films and sounds, on tiny graphs: a runner hears messages all the while, so
// that it can be cancelled.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Assets, Pixels } from "../../../src/core/pipeline.ts";
import { readSound } from "../../../src/engine/media/sound.ts";
import { encodeWav } from "../../../src/engine/media/wav.ts";
import { audioToMidi } from "../../../src/engine/pipelines/audio-to-midi.ts";
import { captureMotion } from "../../../src/engine/pipelines/capture-motion.ts";
import { checkImage } from "../../../src/engine/pipelines/check-image.ts";
import { classifyImage } from "../../../src/engine/pipelines/classify-image.ts";
import { controlImage } from "../../../src/engine/pipelines/control-image.ts";
import { cropImage } from "../../../src/engine/pipelines/crop-image.ts";
import { detectObjects } from "../../../src/engine/pipelines/detect-objects.ts";
import { erase } from "../../../src/engine/pipelines/erase.ts";
import { estimateDepth } from "../../../src/engine/pipelines/estimate-depth.ts";
import { estimatePose } from "../../../src/engine/pipelines/estimate-pose.ts";
import { imageTo3d } from "../../../src/engine/pipelines/image-to-3d.ts";
import { imageToImage } from "../../../src/engine/pipelines/image-to-image.ts";
import { imageToScene } from "../../../src/engine/pipelines/image-to-scene.ts";
import { imageToVideo } from "../../../src/engine/pipelines/image-to-video.ts";
import { removeBackground } from "../../../src/engine/pipelines/remove-background.ts";
import { segmentAll } from "../../../src/engine/pipelines/segment-all.ts";
import { segmentImage } from "../../../src/engine/pipelines/segment-image.ts";
import { textToMotion } from "../../../src/engine/pipelines/text-to-motion.ts";
import { textToVideo } from "../../../src/engine/pipelines/text-to-video.ts";
import { transcribe } from "../../../src/engine/pipelines/transcribe.ts";
import { upscale } from "../../../src/engine/pipelines/upscale.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { yardsOf, yardstick } from "../../support/yardstick.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { framesShown, openMotion } from "../support/motion.ts";
import { openOverlay } from "../support/overlay.ts";
import { watchTurns } from "../support/turns.ts";
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
const small = await codec.encode({ data: new Uint8Array(300 * 200 * 3), width: 300, height: 200, channels: 3 }, "png");

/**
 * Of the longest stretch of a pipeline's own work, in plain work of four million numbers: some milliseconds, of which 50
 * are the aim. The rest is for code that runs for the first time, and for collecting garbage.
 */
const MOST_YARDS = 100;

const YARD = yardstick();
const CLIP = join(import.meta.dir, "../tiny/clip");

const frames = { image_urls: framesShown.urls(...Array.from({ length: 120 }, (_, i) => i % 4)), fps: 30 };
function sound(seconds: number) {
  const rate = 24_000;
  const samples = Float32Array.from({ length: seconds * rate }, (_, i) => 0.3 * Math.sin(i * 0.06));
  const bytes = encodeWav({ samples, rate });
  return async () => bytes;
}
const [minute, twoMinutes, hour] = [sound(60), sound(120), sound(3600)];

/** A job's assets and input, shown a picture. */
const given = (family: string, input: Record<string, unknown>, bytes = picture) => ({
  assets: openFamily(family),
  input: { image_url: "https://example.org/picture.png", ...input },
  media: async () => bytes,
});
const box_prompts = [{ x_min: 0.2, y_min: 0.2, x_max: 0.7, y_max: 0.8 }];
const everything = { points_per_side: 4, pred_iou_thresh: 0.5, stability_score_thresh: 0.5 };
const reference = (path: string) => join(import.meta.dir, "../../reference", path);
const opened = (path: string, input: Record<string, unknown>) => ({
  ...given("sam", input),
  assets: openFolder(reference(path)),
});
const controlled = openOverlay([reference("families/sd-control"), reference("families/sd")]);
const edges = { prompt: "a", control_image_url: "https://example.org/picture.png", preprocessor: "canny" };
const tiny = { num_inference_steps: 1, image_size: { width: 64, height: 64 } };
const filmed = { num_frames: 4, num_inference_steps: 1, video_size: { width: 128, height: 128 }, fps: 4 };
const crop = { x_end_percentage: 90, y_end_percentage: 90 };

test.each([
  ["a cut-out", (as) => runOnce(removeBackground.of({}), as(given("birefnet", {})))],
  ["a thing taken out", (as) => runOnce(erase, as(given("lama", { box_prompts, mask_expansion: 20 })))],
  ["a mask", (as) => runOnce(segmentImage, as(given("sam2", { prompts: [{ x: 1500, y: 1500 }] })))],
  ["all masks", (as) => runOnce(segmentAll, as(given("sam2", everything)))],
  ["depths", (as) => runOnce(estimateDepth, as(given("depth/relative", {})))],
  ["a picture drawn anew", (as) => runOnce(imageToImage, as(opened("families/sd", { prompt: "a" })))],
  [
    "a picture by its edges",
    (as) => runOnce(controlImage, as({ ...given("sam", { ...edges, ...tiny }), assets: controlled })),
  ],
  ["a part of a picture", (as) => runOnce(cropImage, as({ ...given("sam", crop), assets: openFolder(CLIP) }))],
  ["a picture made 8 times as large", (as) => runOnce(upscale.of({}), as(given("esrgan", { scale: 8 }, small)))],
  ["skeletons", (as) => runOnce(estimatePose, as(given("pose/simcc", { box_prompts })))],
  ["kinds of a picture", (as) => runOnce(classifyImage, as(given("labelling/vit", {})))],
  ["things in a picture", (as) => runOnce(detectObjects, as(given("labelling/detr", { score_threshold: 0 })))],
  ["what is not to be seen", (as) => runOnce(checkImage, as(given("labelling/nsfw", {})))],
  [
    "a model in three dimensions",
    (as) => runOnce(imageTo3d, as(opened("vision/triposr/whole", { do_remove_background: false, mc_resolution: 128 }))),
  ],
  ["a scene", (as) => runOnce(imageToScene, as(opened("vision/moge", { output_point_cloud: true })))],
  ["a video of a picture", (as) => runOnce(imageToVideo, as(opened("families/svd", filmed)))],
  ["a video of words", (as) => runOnce(textToVideo, as(opened("families/modelscope", { ...filmed, prompt: "a" })))],
  ["motion", (as) => runOnce(textToMotion, as({ assets: openMotion("clip-six"), input: { prompt: "wave" } }))],
  [
    "motion of a film",
    (as) => runOnce(captureMotion, as({ assets: openMotion("pose"), input: frames, media: framesShown.media })),
  ],
  [
    "notes of a minute",
    (as) => runOnce(audioToMidi, as({ ...opened("music/basic-pitch", { audio_url: "x" }), media: minute })),
  ],
  [
    "words of two minutes",
    (as) => runOnce(transcribe, as({ ...opened("speech/whisper", { audio_url: "x" }), media: twoMinutes })),
  ],
  ["an hour of sound", () => readSound({ task: { media: hour }, url: "x", field: "audio_url", rate: 16_000 })],
] satisfies [string, (apart: <Given extends { assets: Assets }>(given: Given) => Given) => Promise<unknown>][])(
  "%s: messages are let in again and again",
  async (name, run) => {
    const turns = watchTurns();
    await run((given) => ({ ...given, assets: turns.apart(given.assets) }));
    expect(yardsOf(name, { longest: await turns.longest(), yard: YARD })).toBeLessThan(MOST_YARDS);
  },
);

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
