// What several LoRAs together add to the weights of each part of a model.
import type { WeightChange, WeightChanges } from "../../core/pipeline.ts";
import { badLora } from "./failures.ts";
import type { LoraModule, LoraPart } from "./lora-file.ts";

type Weight = Parameters<WeightChange>[0];

export type ScaledLora = { modules: readonly LoraModule[]; scale: number };

/** `key` stands for these LoRAs with these scales. */
export function changesOf(loras: readonly ScaledLora[], key: string): Map<LoraPart, WeightChanges> {
  const changes = new Map<LoraPart, { key: string; added: Map<string, WeightChange> }>();
  for (const { modules, scale } of loras) {
    for (const module of modules) {
      const part = changes.get(module.part) ?? { key, added: new Map() };
      changes.set(module.part, part);
      const before = part.added.get(module.key);
      part.added.set(module.key, (into: Weight) => {
        before?.(into);
        addProduct(module, scale * module.scale, into);
      });
    }
  }
  return changes;
}

/** scale · up · down onto `into`, which is [out, in...]. */
function addProduct({ key, down, up }: LoraModule, scale: number, into: Weight): void {
  const [rank = 0, ...inner] = down.shape;
  const [out = 0, rankUp = 0, ...outer] = up.shape;
  const columns = inner.reduce((product, each) => product * each, 1);
  const isNarrow = rank === rankUp && outer.every((side) => side === 1);
  if (!isNarrow || out !== into.rows || columns !== into.columns) {
    throw badLora(
      `The LoRA is of another model: its change of ${key} is ${out} x ${columns}, the weight ${into.rows} x ${into.columns}`,
    );
  }
  const [a, b] = [down.read(), up.read()];
  for (let row = 0; row < out; row++) {
    const start = row * columns;
    for (let r = 0; r < rank; r++) {
      const factor = scale * (b[row * rank + r] ?? 0);
      if (factor === 0) continue;
      const from = r * columns;
      for (let column = 0; column < columns; column++) {
        into.data[start + column] = (into.data[start + column] ?? 0) + factor * (a[from + column] ?? 0);
      }
    }
  }
  expectNumbers(key, into);
}

/** A sum of numbers is one: weights that are none draw black pictures. */
function expectNumbers(key: string, { data }: Weight): void {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] ?? 0;
  if (!Number.isFinite(sum))
    throw badLora(`The LoRA is broken: with its change of ${key} the weight holds values that are no numbers`);
}
