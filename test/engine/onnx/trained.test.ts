// The generic pipeline on trained graphs, each served by its file of models/ alone.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { crop } from "../../../src/engine/tensor/crop.ts";
import { resize } from "../../../src/engine/tensor/resize.ts";
import { sharedFile } from "../support/shared.ts";
import { areHere, ask } from "./trained.ts";

setDefaultTimeout(120_000);

const codec = createCodec();
const shared = (path: string) => new Uint8Array(readFileSync(sharedFile(`weights/${path}`) ?? ""));
/** Eileen Collins by NASA (public domain), made smaller. */
const portrait = () => new Uint8Array(readFileSync(`${import.meta.dir}/astronaut.jpg`));

/** A 7 in dark strokes on white paper. */
function seven(): Pixels {
  const [width, height] = [60, 80];
  const isInk = (x: number, y: number) =>
    (y >= 14 && y < 21 && x >= 14 && x < 47) || (y >= 14 && y < 68 && Math.abs(x - (45 - (y - 17) * 0.45)) < 4);
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return isInk(pixel % width, Math.floor(pixel / width)) ? 10 : 250;
  });
  return { data, width, height, channels: 3 };
}

type Box = { x: number; y: number; w: number; h: number; label: string; score: number; keypoints?: Point[] };
type Point = { x: number; y: number; z?: number; name?: string };
const boxesIn = (output: Record<string, unknown>) => (output.results as { bboxes: Box[] }).bboxes;

describe.skipIf(!areHere)("trained graphs by a YAML file only", () => {
  test("SqueezeNet sees a tabby cat", async () => {
    const { output } = await ask("microsoft/squeezenet", shared("images/kitten.png"), { top_k: 3 });
    const classes = output.classes as { label: string; score: number }[];
    expect(classes.map(({ label }) => label)).toEqual(["tabby", "Egyptian cat", "tiger cat"]);
    // Python's onnxruntime, resizing first and cropping then as here: 0.589.
    expect(classes[0]?.score).toBeCloseTo(0.589, 1);
  });

  test("a picture that would become too large is refused after its first tile, with the field", async () => {
    const wide = { data: new Uint8Array(4000 * 2000 * 3), width: 4000, height: 2000, channels: 3 as const };
    const [began, bytes] = [process.cpuUsage().user, await codec.encode(wide, "png")];
    await expect(ask("pytorch/super-resolution-x3", bytes)).rejects.toMatchObject({
      code: "invalid_input",
      problems: [
        { loc: ["body", "image_url"], type: "image_too_large", msg: expect.stringContaining("enlarged 3 times") },
      ],
    });
    // All of its 190 tiles would take much longer.
    expect(process.cpuUsage().user - began).toBeLessThan(20e6);
  });

  test("MNIST reads a seven", async () => {
    const { output } = await ask("microsoft/mnist", await codec.encode(seven(), "png"));
    const [best] = output.classes as { label: string; score: number }[];
    expect(best?.label).toBe("7");
    expect(best?.score).toBeGreaterThan(0.9);
  });

  test("PaddleOCR reads a printed line", async () => {
    const line = new Uint8Array(readFileSync(`${import.meta.dir}/line.png`));
    const { output } = await ask("paddlepaddle/ppocr-english-line", line);
    expect(String(output.text).replaceAll(" ", "")).toBe("Forecourt3250");
    expect(output.text_score).toBeGreaterThan(0.8);
  });

  test("FastestDet finds the cat where it lies", async () => {
    const { output } = await ask("dog-qiuqiu/fastestdet", shared("images/kitten.png"));
    const [best] = boxesIn(output);
    expect(best?.label).toBe("cat");
    expect(best?.score).toBeGreaterThan(0.7);
  });

  test("two face detectors of different designs agree on the face, its eyes and its nose", async () => {
    const [yunet] = boxesIn((await ask("shiqiyu/yunet", portrait())).output);
    const [mediapipe] = boxesIn((await ask("google/mediapipe-face-detection", portrait())).output);
    for (const name of ["right_eye", "left_eye", "nose"]) {
      const [a, b] = [yunet, mediapipe].map((box) => box?.keypoints?.find((point) => point.name === name));
      expect(Math.hypot((a?.x ?? NaN) - (b?.x ?? NaN), (a?.y ?? NaN) - (b?.y ?? NaN))).toBeLessThan(8);
    }
    // In the middle of the picture, a little above: astronaut.jpg.
    expect(yunet?.x).toBeGreaterThan(80);
    expect((yunet?.x ?? 0) + (yunet?.w ?? 0)).toBeLessThan(145);
  });

  test("the face mesh has 468 points in depth, eyes above mouth, the nose nearest", async () => {
    const whole = await codec.decode(portrait());
    const face = await resize(crop(whole, { left: 77, top: 25, width: 70, height: 70 }), {
      width: 192,
      height: 192,
      kernel: "bicubic",
    });
    const { output } = await ask("google/mediapipe-face-mesh", await codec.encode(face, "png"));
    const points = output.landmarks as Point[];
    expect(points).toHaveLength(468);
    expect(output.score).toBeGreaterThan(0.9);
    // Of MediaPipe's numbering: 1 tip of the nose, 13 upper lip, 33 and 263 outer corners of the eyes.
    const [nose, lip, right, left] = [1, 13, 33, 263].map((i) => points[i]);
    expect(right?.x).toBeLessThan(nose?.x ?? 0);
    expect(left?.x).toBeGreaterThan(nose?.x ?? 0);
    expect(right?.y).toBeLessThan(nose?.y ?? 0);
    expect(lip?.y).toBeGreaterThan(nose?.y ?? 0);
    expect(nose?.z).toBeLessThan(Math.min(right?.z ?? 0, left?.z ?? 0));
  });

  test("SINet cuts the astronaut out", async () => {
    const { output, files } = await ask("anilsathyan7/sinet-portrait", portrait());
    expect(output.image).toMatchObject({ width: 256, height: 256, content_type: "image/png" });
    const cut = await codec.decode(files.get("image.png") ?? new Uint8Array());
    const alpha = (x: number, y: number) => cut.data[(y * cut.width + x) * 4 + 3] ?? NaN;
    expect(cut.channels).toBe(4);
    expect(alpha(110, 60)).toBeGreaterThan(240); // the face
    expect(alpha(60, 200)).toBeGreaterThan(240); // the suit
    expect(alpha(20, 30)).toBeLessThan(90); // the flag, which the small network is not quite sure of
  });

  test("the style transfer repaints in the size that was given", async () => {
    const { output, files } = await ask("microsoft/fns-candy", portrait(), { output_format: "jpeg" });
    expect(output.image).toMatchObject({ width: 256, height: 256, content_type: "image/jpeg" });
    const [before, after] = [
      await codec.decode(portrait()),
      await codec.decode(files.get("image.jpeg") ?? new Uint8Array()),
    ];
    const change = before.data.reduce((sum, value, i) => sum + Math.abs(value - (after.data[i] ?? 0)), 0);
    expect(change / before.data.length).toBeGreaterThan(20);
  });

  test("super-resolution of a picture in tiles leaves no seam and keeps the colours", async () => {
    const small = await codec.decode(portrait());
    const { output, files, units } = await ask("pytorch/super-resolution-x3", portrait());
    expect(output.image).toMatchObject({ width: 768, height: 768 });
    expect(units.megapixels).toBeCloseTo(0.0655, 3);
    const large = await codec.decode(files.get("image.png") ?? new Uint8Array());
    const back = await resize(large, { width: 256, height: 256, kernel: "bilinear" });
    const errors = back.data.map((value, i) => Math.abs(value - (small.data[i] ?? 0)));
    expect(errors.reduce((sum, each) => sum + each, 0) / errors.length).toBeLessThan(6);
  });

  test("Silero hears when somebody speaks, and nothing in silence", async () => {
    const wav = shared("silero-vad/test.wav");
    const seconds = 12;
    const head = wav.slice(0, 44 + seconds * 32_000);
    const { output, units } = await ask("snakers4/silero-vad", head);
    expect(output.has_speech).toBe(true);
    expect(units.seconds).toBeCloseTo(seconds, 1);
    const stretches = output.timestamps as { start: number; end: number }[];
    expect(stretches.slice(0, 3)).toEqual([
      { start: expect.closeTo(0.002, 1), end: expect.closeTo(2.046, 1) },
      { start: expect.closeTo(2.658, 1), end: expect.closeTo(4.702, 1) },
      { start: expect.closeTo(4.962, 1), end: expect.closeTo(6.878, 1) },
    ]);
    const silent = wav.slice(0, 44 + 32_000).fill(0, 44);
    expect((await ask("snakers4/silero-vad", silent)).output).toEqual({ has_speech: false, timestamps: [] });
  });
});
