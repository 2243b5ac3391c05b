// fal's endpoints of Florence-2 under one model: what each takes, and the task that it stands for.
import { expect, test } from "bun:test";
import { YAML } from "bun";
import { pipelineInput } from "../../../src/control/catalog/asked.ts";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { asId, type ModelId } from "../../../src/core/ids.ts";
import { parse } from "../../../src/core/schema.ts";
import { taskNames } from "../../../src/engine/florence/tasks.ts";

const endpoint = (task: string) => `fal-ai/florence-2-large/${task}`;
const model = {
  id: "acme/florence",
  title: "Florence",
  description: "Reads pictures.",
  category: "vision",
  licence: { id: "MIT", commercial: true },
  pipeline: "read-image",
  aliases: taskNames.map(endpoint),
  source: { embedded: "none" },
  memory: { weights: 1, working: 1 },
  price: { unit: "image", amount: 0, currency: "USD" },
};
const catalog = createCatalog({ builtIn: [{ file: "models/florence.yaml", text: YAML.stringify(model) }] });

function entryOf(task: string) {
  const entry = catalog.find(endpoint(task));
  if (!entry) throw new Error(`no endpoint of ${task}`);
  return entry;
}

test("every task has an endpoint that takes what the task needs, and nothing else", () => {
  const region = { x1: 1, y1: 2, x2: 3, y2: 4 };
  for (const task of taskNames) {
    const { input } = entryOf(task);
    const needs = Object.keys(input.properties).filter((name) => name !== "image_url");
    expect(needs).toEqual(
      task.startsWith("region-to-") ? ["region"] : /grounding|vocabulary|referring/.test(task) ? ["text_input"] : [],
    );
    expect(input.required).toEqual(["image_url", ...needs]);
    const given = { image_url: "https://example.com/a.png", ...(needs[0] === "region" && { region }) };
    const whole = { ...given, ...(needs[0] === "text_input" && { text_input: "a car" }) };
    const asked = { model: asId<ModelId>(model.id), endpoint: endpoint(task), input: parse(input, whole) };
    expect(pipelineInput(catalog, asked)).toMatchObject({ ...whole, task, max_tokens: 1024 });
  }
});

test("answers of places come with a picture, those in words without", () => {
  expect(Object.keys(entryOf("ocr").output.properties)).toEqual(["results"]);
  expect(Object.keys(entryOf("ocr-with-region").output.properties)).toEqual(["results", "image"]);
});
