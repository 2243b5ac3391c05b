// Model files for tests: the pipeline `echo` under other names and sizes.
import { YAML } from "bun";
import { MIB } from "../../src/core/units.ts";

export function testModel(id: string, { sizeMb = 100, ...change }: Record<string, unknown> & { sizeMb?: number } = {}) {
  const model = {
    id,
    title: id,
    description: "For tests.",
    category: "llm",
    licence: { id: "MIT", commercial: true },
    pipeline: "echo",
    source: { embedded: "none" },
    memory: { weights: sizeMb * MIB, working: 0 },
    price: { unit: "request", amount: 0, currency: "USD" },
    ...change,
  };
  return { file: `models/${id.replaceAll("/", "-")}.yaml`, text: YAML.stringify(model) };
}
