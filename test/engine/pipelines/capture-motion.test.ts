// Motion capture on tiny graphs of MediaPipe's and RTMW3D's kind, against NumPy; what comes of gaps, and what is refused.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { encodeVideo } from "../../../src/engine/media/video/encode-video.ts";
import type { Body } from "../../../src/engine/motion/body-finder.ts";
import { loadBodyFinder } from "../../../src/engine/motion/load-body-finder.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { captureMotion } from "../../../src/engine/pipelines/capture-motion.ts";
import { validate } from "../support/gltf.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { frameFile, framesShown, MOTION, motionJson, openMotion } from "../support/motion.ts";
import { decode, openFamily } from "../support/vision.ts";

setDefaultTimeout(120_000);

type Wanted = Omit<Body, "hips"> & { hips: [number, number] };
const cases = motionJson<{
  order: number[];
  pose: { bodies: (Wanted | null)[] };
  "whole-body": { height: number; bodies: (Wanted | null)[] };
}>("cases");
const height = cases["whole-body"].height;
const wanted = { pose: cases.pose.bodies, "whole-body": cases["whole-body"].bodies };

describe.each(["pose", "whole-body"] as const)("%s", (family) => {
  test("bodies of pictures that follow each other are NumPy's: found, followed, lost and found again", async () => {
    const finder = await loadBodyFinder(openMotion(family));
    const find = finder.follow({ threshold: 0.5, height });
    for (const [i, body] of wanted[family].entries()) {
      const found = await find(await decode(frameFile(cases.order[i] ?? 0)), i / 10);
      if (body === null) {
        expect(found).toBeUndefined();
        continue;
      }
      expect(found?.score).toBeCloseTo(body.score, 4);
      expect(found?.hips.x).toBeCloseTo(body.hips[0], 1);
      expect(found?.hips.y).toBeCloseTo(body.hips[1], 1);
      expect((found?.pixelsPerMetre ?? NaN) / body.pixelsPerMetre).toBeCloseTo(1, 2);
      expect(found?.places).toHaveLength(finder.names.length);
      for (const [point, place] of body.places.entries()) {
        for (const [axis, value] of place.entries())
          expect(Math.abs((found?.places[point]?.[axis] ?? NaN) - value)).toBeLessThan(3e-3);
        expect(found?.scores[point]).toBeCloseTo(body.scores[point] ?? NaN, 2);
      }
    }
    expect(wanted[family].filter((body) => body === null)).toHaveLength(1);
  });

  test("a run gives named points on the ground, both files and what it cost; who is lost is bridged and told", async () => {
    const input = { image_urls: framesShown.urls(0, 1, 2, 3), fps: 10, smooth: false };
    const { output, files, units, steps, log } = await runOnce(captureMotion, {
      assets: openMotion(family),
      input,
      media: framesShown.media,
    });
    expect(steps.slice(0, -1)).toEqual([1, 2, 3, 4].map((at) => ({ type: "progress", at, of: 4 })));
    expect(units).toEqual({ requests: 1, images: 4, seconds: 0.4 });
    expect(output).toMatchObject({ fps: 10, num_frames: 4, missing_frames: [2] });
    expect(output.frames.map(({ time, found }) => [time, found])).toEqual([
      [0, true],
      [0.1, true],
      [0.2, false],
      [0.3, true],
    ]);
    expect(log).toEqual([expect.stringContaining("1 of 4 frames; they are bridged: 2")]);
    const joint = (frame: number, name: string) => {
      const found = output.frames[frame]?.joints[output.joint_names.indexOf(name)];
      if (!found) throw new Error(`no joint ${name}`);
      return found;
    };
    // Against the hips, as the model saw them; the gap lies halfway between its neighbours.
    const away = (frame: number, name: string) => {
      const hips = [joint(frame, "left_hip"), joint(frame, "right_hip")];
      const { x, y, z, score } = joint(frame, name);
      const mean = (of: "x" | "y" | "z") => ((hips[0]?.[of] ?? 0) + (hips[1]?.[of] ?? 0)) / 2;
      return { x: x - mean("x"), y: y - mean("y"), z: z - mean("z"), score };
    };
    for (const name of ["nose", "left_wrist", "right_ankle"])
      for (const axis of ["x", "y", "z"] as const) {
        expect(away(0, name)[axis]).toBeCloseTo(away(3, name)[axis], 3);
        expect(away(2, name)[axis]).toBeCloseTo((away(1, name)[axis] + away(3, name)[axis]) / 2, 3);
      }
    expect(away(2, "nose").score).toBe(0);
    expect(new TextDecoder().decode(files.get("motion.bvh"))).toStartWith("HIERARCHY\nROOT Hips\n");
    expect((await validate(files.get("motion.glb") ?? new Uint8Array())).issues.messages).toEqual([]);
    expect(output.bvh_file).toMatchObject({ file_name: "motion.bvh", file_size: files.get("motion.bvh")?.length });
    expect(output.model_glb).toMatchObject({ file_name: "motion.glb", content_type: "model/gltf-binary" });
  });
});

const run = (input: Record<string, unknown>, more: Partial<Parameters<typeof runOnce>[1]> = {}) =>
  runOnce(captureMotion, { assets: openMotion("pose"), media: framesShown.media, ...more, input });

test("a video is read frame by frame, with its own times or those that are wished", async () => {
  const pictures = await Promise.all([0, 1, 0, 1, 0].map((at) => decode(frameFile(at))));
  const { bytes } = await encodeVideo(pictures, { fps: 12.5, pause: createPause(undefined) });
  const media = async () => bytes;
  const { output, units } = await run({ video_url: "https://example.org/film.mp4" }, { media });
  expect(output).toMatchObject({ num_frames: 5, missing_frames: [] });
  expect(output.fps).toBeCloseTo(12.5, 3);
  expect(units).toMatchObject({ images: 5, seconds: expect.closeTo(0.4, 3) });
  const slow = await run({ video_url: "https://example.org/film.mp4", fps: 5 }, { media });
  expect(slow.output.frames.map(({ time }) => time)).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
  const refused = await run({ video_url: "https://example.org/film.mp4", max_frames: 4 }, { media }).catch(
    (error) => error,
  );
  expect(refused).toMatchObject({ problems: [{ loc: ["body", "video_url"], type: "sequence_too_long" }] });
});

test("whole bodies have fingers, and as many joints as points", async () => {
  const { output, files } = await run({ image_urls: framesShown.urls(0) }, { assets: openMotion("whole-body") });
  expect(output.joint_names).toHaveLength(133);
  expect(new TextDecoder().decode(files.get("motion.bvh"))).toContain("JOINT LeftHandIndex3");
});

test("a height makes the skeleton that tall, and the points with it", async () => {
  const tall = await run({ image_urls: framesShown.urls(0, 1), height: 2 });
  const small = await run({ image_urls: framesShown.urls(0, 1), height: 1 });
  expect([tall.output.height, small.output.height]).toEqual([2, 1]);
  const span = ({ output }: typeof tall) => {
    const ys = (output.frames[0]?.joints ?? []).map(({ y }) => y);
    return Math.max(...ys) - Math.min(...ys);
  };
  expect(span(tall) / span(small)).toBeCloseTo(2, 2);
});

test("the filter is late behind a leap, and not asked where it is not wished", async () => {
  const image_urls = framesShown.urls(0, 0, 0, 1);
  const last = async (input: Record<string, unknown>) =>
    (await run({ image_urls, ...input })).output.frames[3]?.joints ?? [];
  const [raw, late] = [await last({ smooth: false }), await last({ min_cutoff: 0.01, beta: 0 })];
  const { output } = await run({ image_urls: framesShown.urls(0), smooth: false });
  const first = output.frames[0]?.joints ?? [];
  const moved = raw.findIndex(({ x }, i) => Math.abs(x - (first[i]?.x ?? 0)) > 0.05);
  const share =
    ((late[moved]?.x ?? NaN) - (first[moved]?.x ?? NaN)) / ((raw[moved]?.x ?? NaN) - (first[moved]?.x ?? NaN));
  expect(moved).toBeGreaterThanOrEqual(0);
  expect(Math.abs(share)).toBeLessThan(0.2);
});

describe("refused, by the field", () => {
  const refusal = async (input: Record<string, unknown>, more = {}) => await run(input, more).catch((error) => error);

  test("nobody in any frame", async () => {
    expect(await refusal({ image_urls: framesShown.urls(2, 2) })).toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "image_urls"], msg: expect.stringContaining("Nobody was found") }],
    });
  });

  test("more frames than wished", async () => {
    expect(await refusal({ image_urls: framesShown.urls(0, 1, 3), max_frames: 2 })).toMatchObject({
      problems: [{ loc: ["body", "image_urls"], type: "sequence_too_long", ctx: { max_length: 2 } }],
    });
  });

  test("frames of different sizes", async () => {
    const small = await Bun.file(`${MOTION}/../vision/small.png`).bytes();
    const media = async (url: string) => (url.endsWith("1.png") ? small : frameFile(0));
    expect(await refusal({ image_urls: framesShown.urls(0, 1) }, { media })).toMatchObject({
      problems: [{ loc: ["body", "image_urls", 1], msg: expect.stringContaining("120 x 160") }],
    });
  });

  test("no picture, and several kinds", async () => {
    const both = { image_url: framesShown.urls(0)[0], image_urls: framesShown.urls(0) };
    expect(await refusal({})).toMatchObject({ problems: [{ loc: ["body", "image_url"] }] });
    expect(await refusal(both)).toMatchObject({ problems: [{ loc: ["body", "image_urls"] }] });
  });

  test("what is no picture, by its place", async () => {
    const media = async (url: string) => (url.endsWith("1.png") ? new Uint8Array([1, 2, 3]) : frameFile(0));
    expect(await refusal({ image_urls: framesShown.urls(0, 1) }, { media })).toMatchObject({
      problems: [{ loc: ["body", "image_urls", 1], type: "image_load_error" }],
    });
  });

  test("graphs of another kind are the model's fault", async () => {
    expect(await refusal({ image_urls: framesShown.urls(0) }, { assets: openFamily("pose/vitpose") })).toMatchObject({
      code: "misconfigured",
    });
    const graphs = {
      "onnx/model.onnx": "pose/onnx/model.onnx",
      "detector/onnx/model.onnx": "clip-six/onnx/model.onnx",
    };
    expect(await refusal({ image_urls: framesShown.urls(0) }, { assets: openFolder(MOTION, graphs) })).toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("motion [1, 6, 132]"),
    });
  });
});

test("a run that was cancelled ends before the next frame", async () => {
  const stop = new AbortController();
  let asked = 0;
  const media = async (url: string) => {
    asked++;
    if (asked === 2) stop.abort(new Error("enough"));
    return framesShown.media(url);
  };
  await expect(run({ image_urls: framesShown.urls(0, 1, 0, 1, 0) }, { media, signal: stop.signal })).rejects.toThrow(
    "enough",
  );
  expect(asked).toBe(2);
});
