// Every file of models/: valid, its pipeline registered, its weights pinned, its examples runnable.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCatalog } from "../src/control/catalog/catalog.ts";
import { parse } from "../src/core/schema.ts";
import { pipelineNames } from "../src/engine/pipelines/registry.ts";
import { partsOf } from "../src/engine/sources.ts";
import { allVariants } from "../src/engine/variants.ts";

const entries = createCatalog({}).list();

test("the demo models are in the catalogue", () => {
  const ids = entries.map(({ model }) => model.id);
  expect(ids).toEqual(
    expect.arrayContaining([
      "forecourt/demo-diffusion",
      "forecourt/demo-clip",
      "forecourt/demo-llama",
      "forecourt/echo",
    ]),
  );
});

test("the whole file that models/README.md begins with is one", () => {
  const page = readFileSync(join(import.meta.dir, "../models/README.md"), "utf8");
  const [, text = ""] = /```yaml\n(# <data>[\s\S]*?)```/.exec(page) ?? [];
  const entry = createCatalog({ builtIn: [{ file: "models/colour.yaml", text }] }).find("acme/colour");
  expect(Object.keys(entry?.input.properties ?? {})).toEqual(["image_url", "top_k"]);
  expect(Object.keys(entry?.output.properties ?? {})).toEqual(["classes"]);
});

for (const { model, input } of entries) {
  test(`${model.id} is complete`, () => {
    expect(pipelineNames).toContain(model.pipeline);
    expect(model.memory.weights).toBeGreaterThan(0);
    expect(model.description).toMatch(/\.$/);
    for (const { source } of partsOf(model)) if ("files" in source) expect(source.files.length).toBeGreaterThan(0);
    for (const variant of allVariants(model)) {
      const sizes = partsOf(variant).map(({ source }) => ("include" in source ? source.bytes : 0));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(variant.memory.weights);
    }
  });

  test(`the examples of ${model.id} are valid input`, () => {
    expect(model.examples.length).toBeGreaterThan(0);
    for (const example of model.examples) expect(parse(input, example)).toMatchObject(example);
  });
}
