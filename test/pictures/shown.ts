// What trained graphs make of pictures: before and after side by side, and what they say. The pictures given are Eileen Collins by NASA
// (public domain), a kitten of Microsoft's samples (MIT) and a printed line of our own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pixels } from "../../src/core/pipeline.ts";
import { createCodec } from "../../src/engine/runner/codec.ts";
import { crop } from "../../src/engine/tensor/crop.ts";
import { pixelsToPlanes, planesToPixels } from "../../src/engine/tensor/pixels.ts";
import { resize } from "../../src/engine/tensor/resize.ts";
import { tensorOf, toFloats } from "../../src/engine/tensor/tensor.ts";
import { annotate, boxOutline, type Outline } from "../../src/engine/vision/annotate.ts";
import { ask } from "../engine/onnx/trained.ts";
import { openFolder } from "../engine/support/load.ts";
import { sharedFile } from "../engine/support/shared.ts";

export type Shown = { name: string; model: string; title: string; said: string; before: Pixels; after: Pixels };

export const codec = createCodec();
const fileBytes = (path: string) => new Uint8Array(readFileSync(path));
const shared = (path: string) => fileBytes(sharedFile(`weights/${path}`) ?? "");
const own = (name: string) => fileBytes(join(import.meta.dir, "../engine/onnx", name));

const percent = (share: unknown) => `${Math.round(Number(share) * 100)} %`;
const enlarged = (pixels: Pixels, times: number, kernel: "nearest" | "bicubic" = "nearest") =>
  resize(pixels, { width: pixels.width * times, height: pixels.height * times, kernel });

type Box = { x: number; y: number; w: number; h: number; label: string; score: number; keypoints?: At[] };
type At = { x: number; y: number };
const boxesIn = (output: Record<string, unknown>) => (output.results as { bboxes: Box[] }).bboxes;

/** A diamond around a point. */
const dot = ({ x, y }: At, label: string, radius: number): Outline => ({
  label,
  points: [
    { x: x - radius, y },
    { x, y: y - radius },
    { x: x + radius, y },
    { x, y: y + radius },
  ],
});

async function superResolution(): Promise<Shown> {
  const whole = await codec.decode(own("astronaut.jpg"));
  const before = crop(whole, { left: 60, top: 10, width: 96, height: 96 });
  const model = "pytorch/super-resolution-x3";
  const { files } = await ask(model, await codec.encode(before, "png"));
  const after = await codec.decode(files.get("image.png") ?? new Uint8Array());
  return {
    name: "super-resolution",
    model,
    title: "Super-resolution, three times",
    said: "",
    before: await enlarged(before, 3),
    after,
  };
}

/** On light green: what was cut away shows at once. */
const GROUND = [206, 232, 208];

async function segmentation(): Promise<Shown> {
  const before = await codec.decode(own("astronaut.jpg"));
  const model = "anilsathyan7/sinet-portrait";
  const { files } = await ask(model, own("astronaut.jpg"));
  const cut = await codec.decode(files.get("image.png") ?? new Uint8Array());
  const data = Uint8Array.from({ length: cut.width * cut.height * 3 }, (_, i) => {
    const at = Math.floor(i / 3) * 4;
    const share = (cut.data[at + 3] ?? 0) / 255;
    return Math.round(share * (cut.data[at + (i % 3)] ?? 0) + (1 - share) * (GROUND[i % 3] ?? 0));
  });
  const after: Pixels = { data, width: cut.width, height: cut.height, channels: 3 };
  return { name: "segmentation", model, title: "A person cut out", said: "", before, after };
}

async function style(): Promise<Shown> {
  const before = await codec.decode(own("astronaut.jpg"));
  const model = "microsoft/fns-candy";
  const { files } = await ask(model, own("astronaut.jpg"));
  const after = await codec.decode(files.get("image.png") ?? new Uint8Array());
  return { name: "style", model, title: "Repainted in a style", said: "", before, after };
}

/** Through the latents of Stable Diffusion 1 and back: an eighth of the edges, four channels. */
async function autoencoder(): Promise<Shown> {
  const before = await codec.decode(own("astronaut.jpg"));
  const { width, height } = before;
  const assets = openFolder(join(sharedFile("weights/vaelight/VAEencoder.onnx") ?? "", ".."));
  const [encoder, decoder] = [await assets.graph("VAEencoder.onnx"), await assets.graph("VAEpreview.onnx")];
  const planes = pixelsToPlanes(before, { scale: 1 / 127.5, mean: [1, 1, 1], deviation: [1, 1, 1] });
  const { latent } = await encoder.run({ input: tensorOf("float32", [1, 3, height, width], planes) });
  if (!latent) throw new Error("the encoder gives latents");
  const { output } = await decoder.run({ latent });
  if (!output) throw new Error("the decoder gives a picture");
  const after = planesToPixels(toFloats(output), { width: output.shape[3] ?? 0, height: output.shape[2] ?? 0 });
  const said = `latents ${latent.shape.slice(1).join(" x ")}, one pixel for each of ${after.width} x ${after.height}`;
  return {
    name: "autoencoder",
    model: "Graphnull/VAElight",
    title: "To latents and back, by a decoder for previews",
    said,
    before,
    after,
  };
}

async function detection(): Promise<Shown> {
  const model = "dog-qiuqiu/fastestdet";
  const before = await codec.decode(shared("images/kitten.png"));
  const boxes = boxesIn((await ask(model, shared("images/kitten.png"))).output);
  const said = boxes.map(({ label, score }) => `${label} ${percent(score)}`).join(", ");
  return {
    name: "detection",
    model,
    title: "What is where",
    said,
    before,
    after: await annotate(before, boxes.map(boxOutline)),
  };
}

async function faces(): Promise<Shown> {
  const model = "shiqiyu/yunet";
  const before = await codec.decode(own("astronaut.jpg"));
  const boxes = boxesIn((await ask(model, own("astronaut.jpg"))).output);
  const points = boxes.flatMap(({ keypoints = [] }) => keypoints.map((at) => dot(at, "point", 2)));
  const said = boxes.map(({ score }) => `a face, ${percent(score)}`).join(", ");
  return {
    name: "faces",
    model,
    title: "Faces",
    said,
    before,
    after: await annotate(before, [...boxes.map(boxOutline), ...points]),
  };
}

async function faceMesh(): Promise<Shown> {
  const model = "google/mediapipe-face-mesh";
  const whole = await codec.decode(own("astronaut.jpg"));
  const before = await resize(crop(whole, { left: 77, top: 25, width: 70, height: 70 }), {
    width: 256,
    height: 256,
    kernel: "bicubic",
  });
  const { output } = await ask(model, await codec.encode(before, "png"));
  const points = output.landmarks as At[];
  const said = `${points.length} points, a face by ${percent(output.score)}`;
  return {
    name: "face-mesh",
    model,
    title: "Face mesh",
    said,
    before,
    after: await annotate(
      before,
      points.map((at) => dot(at, "point", 1)),
    ),
  };
}

async function classification(): Promise<Shown> {
  const model = "microsoft/squeezenet";
  const before = await codec.decode(shared("images/kitten.png"));
  const classes = (await ask(model, shared("images/kitten.png"), { top_k: 3 })).output.classes as Box[];
  const said = classes.map(({ label, score }) => `${label} ${percent(score)}`).join(", ");
  return { name: "classification", model, title: "What it is", said, before, after: before };
}

async function reading(): Promise<Shown> {
  const model = "paddlepaddle/ppocr-english-line";
  const before = await codec.decode(own("line.png"));
  const { output } = await ask(model, own("line.png"));
  return { name: "reading", model, title: "A line read", said: String(output.text), before, after: before };
}

/** One after the other: each holds its graph in memory. */
export async function* everything(): AsyncGenerator<Shown> {
  for (const show of [
    superResolution,
    segmentation,
    style,
    autoencoder,
    detection,
    faces,
    faceMesh,
    classification,
    reading,
  ])
    yield await show();
}

const GAP = 8;

/** Both in 256 pixels of height, a white gap between them; the picture alone where nothing is drawn. */
export async function beside({ before, after }: Pick<Shown, "before" | "after">): Promise<Pixels> {
  const parts = await Promise.all((before === after ? [before] : [before, after]).map(asShown));
  const width = parts.reduce((sum, part) => sum + part.width + GAP, -GAP);
  const height = Math.max(...parts.map((part) => part.height));
  const data = new Uint8Array(width * height * 3).fill(255);
  let left = 0;
  for (const part of parts) {
    for (let y = 0; y < part.height; y++)
      data.set(part.data.subarray(y * part.width * 3, (y + 1) * part.width * 3), (y * width + left) * 3);
    left += part.width + GAP;
  }
  return { data, width, height, channels: 3 };
}

const SIDE = 256;

async function asShown(pixels: Pixels): Promise<Pixels> {
  const scale = Math.min(SIDE / pixels.height, SIDE / pixels.width);
  const size = { width: Math.round(pixels.width * scale), height: Math.round(pixels.height * scale) };
  const { data, channels, width, height } = await resize(pixels, { ...size, kernel: "lanczos3" });
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const at = Math.floor(i / 3) * channels;
    return data[at + (channels === 1 ? 0 : i % 3)] ?? 0;
  });
  return { data: rgb, width, height, channels: 3 };
}
