// SAM and SAM 2 in transformers.js' layout: a picture is seen once, then points and boxes are answered with masks. models.md 1.3.
import { createHash } from "node:crypto";
import type { Assets, Graph, Pixels } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { inPieces, type Pause } from "../pause.ts";
import { after, firstOf, type Lines, linesOf } from "../tensor/interpolate.ts";
import { resize } from "../tensor/resize.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { createRecent } from "../text/recent.ts";
import { type PreprocessorConfig, planesOf } from "../vision/preprocess.ts";
import type { SmallMask } from "./enlarged-mask.ts";

/** In pixels of the picture. `label`: 1 belongs to the thing, 0 does not. */
export type Point = { x: number; y: number; label: 0 | 1 };
export type Box = { left: number; top: number; right: number; bottom: number };

/** What is known of one thing; a box only where the model takes boxes. */
export type Prompt = { points: readonly Point[]; box?: Box | undefined };

/** A picture as the model sees it. */
export type Sight = {
  embeddings: Readonly<Record<string, Tensor>>;
  /** From the picture's pixels to the model's. */
  scale: { x: number; y: number };
  picture: { width: number; height: number };
  /** The part of the model's square that the picture fills. */
  seen: { width: number; height: number };
};

/** One prompt's proposals, mostly three: from a part to the whole thing. */
export type Proposals = {
  /** How good the model believes each mask to be. */
  scores: Float32Array;
  /** To be made as large as the picture: above 0 = belongs to the thing. */
  logits(at: number): SmallMask;
};

export type Sam = {
  takesBoxes: boolean;
  /** The same picture, asked for again soon, is not computed again. */
  see(picture: Pixels, pause: Pause): Promise<Sight>;
  /** All prompts have as many points as the first, and boxes all or none. */
  propose(sight: Sight, prompts: readonly Prompt[]): Promise<Proposals[]>;
};

type Square = { width: number; height: number };
type Config = Omit<PreprocessorConfig, "size"> & {
  size?: { longest_edge: number } | Square;
  pad_size?: Square;
};

/** Pictures whose embeddings are kept, of 4 to 11 MB each. */
const KEPT = 4;

export async function loadSam(assets: Assets): Promise<Sam> {
  const config = await assets.json<Config>("preprocessor_config.json");
  const [encoder, decoder] = await Promise.all([
    assets.graph("onnx/vision_encoder.onnx"),
    assets.graph("onnx/prompt_encoder_mask_decoder.onnx"),
  ]);
  const input = requirePort(encoder.inputs, { names: ["pixel_values"], of: "vision encoder" });
  const kept = createRecent<Sight>(KEPT);
  const takesBoxes = decoder.inputs.some(({ name }) => name === "input_boxes");
  return {
    takesBoxes,
    see: async (picture, pause) =>
      await kept.get(await keyOf(picture, pause), () => see({ encoder, input, config, picture, pause })),
    propose: (sight, prompts) => propose({ decoder, config, sight, prompts, takesBoxes }),
  };
}

async function keyOf({ data, width, height, channels }: Pixels, pause: Pause): Promise<string> {
  const hash = createHash("sha256");
  await inPieces({ rows: height, size: width * channels, pause }, (from, to) =>
    hash.update(data.subarray(from * width * channels, to * width * channels)),
  );
  return `${width}x${height}x${channels} ${hash.digest("hex")}`;
}

const edgesOf = ({ size = { longest_edge: 1024 }, pad_size: padded }: Config): Square =>
  "width" in size ? size : (padded ?? { width: size.longest_edge, height: size.longest_edge });

/** SAM keeps the picture's shape and fills up to a square; SAM 2 stretches it. */
function seenSize({ width, height }: Pixels, config: Config): Square {
  const { size = { longest_edge: 1024 } } = config;
  if ("width" in size) return { width: size.width, height: size.height };
  const scale = size.longest_edge / Math.max(width, height);
  return { width: Math.floor(width * scale + 0.5), height: Math.floor(height * scale + 0.5) };
}

type Seeing = { encoder: Graph; input: Port; config: Config; picture: Pixels; pause: Pause };

async function see({ encoder, input, config, picture, pause }: Seeing): Promise<Sight> {
  const [seen, edges] = [seenSize(picture, config), edgesOf(config)];
  const { size: _, ...rest } = config;
  const planes = planesOf(await resize(picture, { ...seen, kernel: "bilinear", pause }), rest);
  const embeddings = await encoder.run({
    [input.name]: tensorOf(input.dtype, [1, 3, edges.height, edges.width], padded(planes, seen, edges)),
  });
  return {
    embeddings,
    scale: { x: seen.width / picture.width, y: seen.height / picture.height },
    picture: { width: picture.width, height: picture.height },
    seen,
  };
}

/** Zeros to the right and below, which is the mean colour. */
function padded(planes: Float32Array, seen: Square, edges: Square): Float32Array {
  if (seen.width === edges.width && seen.height === edges.height) return planes;
  const square = new Float32Array(3 * edges.width * edges.height);
  for (let row = 0; row < 3 * seen.height; row++) {
    const [channel, y] = [Math.floor(row / seen.height), row % seen.height];
    const target = (channel * edges.height + y) * edges.width;
    square.set(planes.subarray(row * seen.width, (row + 1) * seen.width), target);
  }
  return square;
}

type Asking = { decoder: Graph; config: Config; sight: Sight; prompts: readonly Prompt[]; takesBoxes: boolean };

async function propose({ decoder, config, sight, prompts, takesBoxes }: Asking): Promise<Proposals[]> {
  const known = Object.fromEntries(
    decoder.inputs.filter(({ name }) => name in sight.embeddings).map((port) => [port.name, asked(sight, port)]),
  );
  const boxes = takesBoxes && { input_boxes: boxesOf(decoder, sight, prompts) };
  const { iou_scores: scores, pred_masks: masks } = await decoder.run({
    ...known,
    ...pointsOf(decoder, sight, prompts),
    ...boxes,
  });
  if (!scores || !masks) throw new RangeError("a run of the graph gives its outputs iou_scores and pred_masks");
  const [each = 1, height = 1, width = 1] = masks.shape.slice(-3);
  const [all, values] = [toFloats(masks), toFloats(scores)];
  const lines = {
    across: linesToPicture(width, "width", config, sight),
    down: linesToPicture(height, "height", config, sight),
  };
  return prompts.map((_, at) => ({
    scores: values.slice(at * each, (at + 1) * each),
    logits(proposal) {
      const begin = (at * each + proposal) * width * height;
      return { values: all.subarray(begin, begin + width * height), ...lines };
    },
  }));
}

/** To the padded square that the model saw, without what was filled up, to the picture. */
function linesToPicture(masks: number, edge: keyof Square, config: Config, { picture, seen }: Sight): Lines {
  const edges = edgesOf(config);
  if ("width" in (config.size ?? {})) return linesOf(masks, picture[edge], "bilinear");
  return after(
    firstOf(linesOf(masks, edges[edge], "bilinear"), seen[edge]),
    linesOf(seen[edge], picture[edge], "bilinear"),
  );
}

/** Encoder and decoder may be of different precisions. */
function asked({ embeddings }: Sight, { name, dtype }: Port): Tensor {
  const tensor = embeddings[name];
  if (!tensor) throw new RangeError(`there is no embedding ${name}`);
  return tensor.dtype === dtype ? tensor : tensorOf(dtype, tensor.shape, toFloats(tensor));
}

const portOf = ({ inputs }: Graph, name: string) => requirePort(inputs, { names: [name], of: "mask decoder" });

function pointsOf(decoder: Graph, { scale }: Sight, prompts: readonly Prompt[]): Record<string, Tensor> {
  const count = prompts[0]?.points.length ?? 0;
  const places = prompts.flatMap(({ points }) => points.flatMap(({ x, y }) => [x * scale.x, y * scale.y]));
  const labels = prompts.flatMap(({ points }) => points.map(({ label }) => label));
  const shape = [1, prompts.length, count];
  return {
    input_points: tensorOf(portOf(decoder, "input_points").dtype, [...shape, 2], places),
    input_labels: tensorOf(portOf(decoder, "input_labels").dtype, shape, labels),
  };
}

function boxesOf(decoder: Graph, { scale }: Sight, prompts: readonly Prompt[]): Tensor {
  const boxes = prompts.flatMap(({ box }) => (box ? [box] : []));
  const edges = boxes.flatMap(({ left, top, right, bottom }) => [
    ...[left * scale.x, top * scale.y],
    ...[right * scale.x, bottom * scale.y],
  ]);
  return tensorOf(portOf(decoder, "input_boxes").dtype, [1, boxes.length, 4], edges);
}
