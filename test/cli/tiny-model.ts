// A picture model that is done in a moment, as an operator's own model file.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { newFolder } from "./command.ts";

export const tinyWeights = resolve(import.meta.dir, "../engine/tiny/optimum");

const tinyModel = `
id: test/tiny
title: Tiny
description: A very small Stable Diffusion with random weights.
category: text-to-image
licence: { id: Apache-2.0, commercial: true }
pipeline: text-to-image
source: { path: ${JSON.stringify(tinyWeights)} }
memory: { weights: 1000000, working: 1000000 }
price: { unit: image, amount: 0, currency: USD }
`;

/** A new data directory with the model file of `test/tiny`. */
export function dataWithTinyModel(): string {
  const data = newFolder();
  mkdirSync(join(data, "models"));
  writeFileSync(join(data, "models", "tiny.yaml"), tinyModel);
  return data;
}
