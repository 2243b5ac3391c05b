// The language models that are measured: one of random weights, in the files of both engines, made once for each shape.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pythonWith } from "../../support/python-venv.ts";

/** What models.py reads. */
export type Shape = {
  hidden: number;
  layers: number;
  heads: number;
  kvHeads: number;
  inner: number;
  vocabulary: number;
  context: number;
  theta: number;
};

export const SHAPES = {
  /** Llama-3.2-1B's config.json. */
  "1b": {
    ...{ hidden: 2048, layers: 16, heads: 32, kvHeads: 8, inner: 8192, vocabulary: 128_256 },
    ...{ context: 4096, theta: 500_000 },
  },
  tiny: { hidden: 256, layers: 2, heads: 4, kvHeads: 2, inner: 512, vocabulary: 1024, context: 512, theta: 500_000 },
} as const satisfies Record<string, Shape>;
export type ShapeName = keyof typeof SHAPES;

const PACKAGES = ["numpy==2.4.6", "onnx==1.23.2", "gguf==0.19.0"];
export const CACHE = resolve(import.meta.dir, "../../../.cache/bench-text");

export type Models = {
  /** With onnx/model.onnx and its tokenizer. */
  folder: string;
  gguf: string;
};

/** A minute and 1.7 GB for 1b. Undefined where Python or its packages are not to be had. */
export function madeModels(name: ShapeName): Models | undefined {
  const folder = join(CACHE, name);
  const models = { folder, gguf: join(folder, "model.gguf") };
  const complete = join(folder, "complete");
  if (existsSync(complete)) return models;
  const bin = pythonWith(...PACKAGES);
  if (bin === undefined) return undefined;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const script = join(import.meta.dir, "models.py");
  const made = Bun.spawnSync([join(bin, "python"), script, folder, JSON.stringify(SHAPES[name])], {
    stdout: "ignore",
    stderr: "inherit",
  });
  if (!made.success) throw new Error("models.py failed");
  writeFileSync(complete, "");
  return models;
}
