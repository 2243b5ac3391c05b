// The denoiser of Stable Diffusion 1.5 with random weights: the same operators, shapes and 860 million parameters.
// After the architecture of Rombach et al. 2022 as diffusers' UNet2DConditionModel lays it out.
import type { FileValue } from "../../src/engine/graph-file/graph-file.ts";
import { type Builder, createBuilder } from "./builder.ts";

export type UnetSize = {
  /** Channels of the first level: 320 in Stable Diffusion 1.5. A multiple of 32. */
  channels: number;
  /** Edge of the latents: 64 for pictures of 512 pixels. A multiple of 8. */
  latent: number;
};

const [BATCH, TOKENS, CONTEXT, HEADS, GROUPS] = [2, 77, 768, 8, 32];
const LEVELS = [1, 2, 4, 4];

type Feature = { name: string; channels: number; edge: number };

export function buildUnet(size: UnetSize) {
  const g = createBuilder();
  const inputs: FileValue[] = [
    { name: "sample", dtype: "float32", shape: [BATCH, 4, size.latent, size.latent] },
    { name: "time", dtype: "float32", shape: [BATCH, size.channels] },
    { name: "context", dtype: "float32", shape: [BATCH, TOKENS, CONTEXT] },
  ];
  const time = timeEmbedding(g, size.channels);
  const out = conv(g, silu(g, norm(g, throughLevels(g, time, size))), { to: 4 });
  const outputs: FileValue[] = [{ name: out.name, dtype: "float32", shape: [BATCH, 4, size.latent, size.latent] }];
  return { parameters: g.parameters(), write: (folder: string) => g.write(folder, { inputs, outputs }) };
}

function throughLevels(g: Builder, time: string, { channels, latent }: UnetSize): Feature {
  const widths = LEVELS.map((factor) => factor * channels);
  const last = widths.length - 1;
  let x = conv(g, { name: "sample", channels: 4, edge: latent }, { to: channels });
  const skips = [x];
  for (const [level, width] of widths.entries()) {
    for (let each = 0; each < 2; each++) {
      x = resnet(g, x, { to: width, time, channels });
      if (level < last) x = transformer(g, x);
      skips.push(x);
    }
    if (level < last) {
      x = conv(g, x, { to: width, stride: 2 });
      skips.push(x);
    }
  }
  const widest = widths[last] ?? channels;
  x = resnet(g, x, { to: widest, time, channels });
  x = resnet(g, transformer(g, x), { to: widest, time, channels });
  for (const [step, width] of widths.toReversed().entries()) {
    for (let each = 0; each < 3; each++) {
      const skip = skips.pop();
      if (!skip) throw new Error("as many skips as are taken");
      const joined = g.op("Concat", [x.name, skip.name], { axis: 1 });
      x = resnet(
        g,
        { name: joined, channels: x.channels + skip.channels, edge: x.edge },
        { to: width, time, channels },
      );
      if (step > 0) x = transformer(g, x);
    }
    if (step < last) x = upsample(g, x);
  }
  return x;
}

function timeEmbedding(g: Builder, channels: number): string {
  const wide = 4 * channels;
  const hidden = linear(g, "time", channels, wide);
  const activated = g.op("Mul", [hidden, g.op("Sigmoid", [hidden])]);
  const out = linear(g, activated, wide, wide);
  return g.op("Mul", [out, g.op("Sigmoid", [out])]);
}

const linear = (g: Builder, x: string, from: number, to: number, hasBias = true) => {
  const product = g.op("MatMul", [x, g.weight([from, to], 1 / Math.sqrt(from))]);
  return hasBias ? g.op("Add", [product, g.weight([to], 0.01)]) : product;
};

function conv(
  g: Builder,
  x: Feature,
  { to, kernel = 3, stride = 1 }: { to: number; kernel?: number; stride?: number },
): Feature {
  const scale = 1 / Math.sqrt(x.channels * kernel * kernel);
  const weights = [g.weight([to, x.channels, kernel, kernel], scale), g.weight([to], 0.01)];
  const pad = kernel >> 1;
  const attributes = { pads: [pad, pad, pad, pad], strides: [stride, stride] };
  return { name: g.op("Conv", [x.name, ...weights], attributes), channels: to, edge: x.edge / stride };
}

/** Group normalisation as exporters write it for opset 17. */
function norm(g: Builder, { name, channels, edge }: Feature): Feature {
  const grouped = g.op("Reshape", [name, g.integers([BATCH, GROUPS, -1])]);
  const plain = [g.floats(Array(GROUPS).fill(1)), g.floats(Array(GROUPS).fill(0))];
  const normal = g.op("InstanceNormalization", [grouped, ...plain], { epsilon: 1e-5 });
  const back = g.op("Reshape", [normal, g.integers([BATCH, channels, edge, edge])]);
  const scaled = g.op("Mul", [back, g.weight([channels, 1, 1], 0.1, 1)]);
  return { name: g.op("Add", [scaled, g.weight([channels, 1, 1], 0.1)]), channels, edge };
}

const silu = (g: Builder, x: Feature): Feature => ({ ...x, name: g.op("Mul", [x.name, g.op("Sigmoid", [x.name])]) });

function resnet(
  g: Builder,
  x: Feature,
  { to, time, channels }: { to: number; time: string; channels: number },
): Feature {
  const first = conv(g, silu(g, norm(g, x)), { to });
  const moved = g.op("Unsqueeze", [linear(g, time, 4 * channels, to), g.integers([2, 3])]);
  const timed = { ...first, name: g.op("Add", [first.name, moved]) };
  const second = conv(g, silu(g, norm(g, timed)), { to });
  const residual = x.channels === to ? x : conv(g, x, { to, kernel: 1 });
  return { ...second, name: g.op("Add", [residual.name, second.name]) };
}

function upsample(g: Builder, x: Feature): Feature {
  const name = g.op("Resize", [x.name, "", g.floats([1, 1, 2, 2])]);
  return conv(g, { name, channels: x.channels, edge: 2 * x.edge }, { to: x.channels });
}

function transformer(g: Builder, x: Feature): Feature {
  const { channels, edge } = x;
  const inside = conv(g, norm(g, x), { to: channels, kernel: 1 });
  const flat = g.op("Reshape", [inside.name, g.integers([BATCH, channels, edge * edge])]);
  let y = g.op("Transpose", [flat], { perm: [0, 2, 1] });
  y = g.op("Add", [y, attention(g, layerNorm(g, y, channels), undefined, x)]);
  y = g.op("Add", [y, attention(g, layerNorm(g, y, channels), "context", x)]);
  y = g.op("Add", [y, feedForward(g, layerNorm(g, y, channels), channels)]);
  const planes = g.op("Transpose", [y], { perm: [0, 2, 1] });
  const name = g.op("Reshape", [planes, g.integers([BATCH, channels, edge, edge])]);
  const outside = conv(g, { name, channels, edge }, { to: channels, kernel: 1 });
  return { ...outside, name: g.op("Add", [x.name, outside.name]) };
}

const layerNorm = (g: Builder, x: string, channels: number) =>
  g.op("LayerNormalization", [x, g.weight([channels], 0.1, 1), g.weight([channels], 0.1)], { axis: -1, epsilon: 1e-5 });

function attention(g: Builder, x: string, context: string | undefined, { channels, edge }: Feature): string {
  const [pixels, width] = [edge * edge, channels / HEADS];
  const [from, length] = context === undefined ? [channels, pixels] : [CONTEXT, TOKENS];
  const headed = (name: string, count: number, perm: number[]) =>
    g.op("Transpose", [g.op("Reshape", [name, g.integers([BATCH, count, HEADS, width])])], { perm });
  const q = headed(linear(g, x, channels, channels, false), pixels, [0, 2, 1, 3]);
  const k = headed(linear(g, context ?? x, from, channels, false), length, [0, 2, 3, 1]);
  const v = headed(linear(g, context ?? x, from, channels, false), length, [0, 2, 1, 3]);
  const scores = g.op("Mul", [g.op("MatMul", [q, k]), g.floats([1 / Math.sqrt(width)])]);
  const mixed = g.op("MatMul", [g.op("Softmax", [scores], { axis: -1 }), v]);
  const rows = g.op("Transpose", [mixed], { perm: [0, 2, 1, 3] });
  return linear(g, g.op("Reshape", [rows, g.integers([BATCH, pixels, channels])]), channels, channels);
}

/** GEGLU. */
function feedForward(g: Builder, x: string, channels: number): string {
  const [value = "", gate = ""] = g.ops("Split", [linear(g, x, channels, 8 * channels)], 2, { axis: -1 });
  const erf = g.op("Erf", [g.op("Div", [gate, g.floats([Math.SQRT2])])]);
  const half = g.op("Mul", [g.op("Mul", [gate, g.floats([0.5])]), g.op("Add", [erf, g.floats([1])])]);
  return linear(g, g.op("Mul", [value, half]), 4 * channels, channels);
}
