// Endpoints with words of their own: their schemas, what becomes of requests in them, and of the answers.
import { expect, test } from "bun:test";
import { YAML } from "bun";
import { pipelineInput } from "../../../src/control/catalog/asked.ts";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { asId } from "../../../src/core/ids.ts";
import { parse } from "../../../src/core/schema.ts";
import { falEndpoints } from "../../../src/engine/endpoints/fal.ts";

const base = {
  id: "acme/painter",
  title: "Painter",
  description: "Paints.",
  category: "text-to-image",
  licence: { id: "MIT", commercial: true },
  pipeline: "text-to-image",
  source: { embedded: "none" },
  defaults: { num_inference_steps: 12, guidance_scale: 3 },
  memory: { weights: 1, working: 1 },
  price: { unit: "image", amount: 0, currency: "USD" },
  examples: [{ prompt: "a boat", output_format: "png", clip_skip: 1 }],
};

const catalogOf = (change: Record<string, unknown>) =>
  createCatalog({ builtIn: [{ file: "models/painter.yaml", text: YAML.stringify({ ...base, ...change }) }] });

function endpointOf(change: Record<string, unknown>, endpoint: string) {
  const catalog = catalogOf(change);
  const entry = catalog.find(endpoint);
  if (!entry) throw new Error(`no ${endpoint}`);
  const asPipeline = (given: Record<string, unknown>) => {
    const input = parse(entry.input, given);
    entry.words?.check(input);
    return pipelineInput(catalog, { model: asId(entry.model.id), endpoint, input });
  };
  return { catalog, entry, asPipeline };
}

const own = (declaration: Record<string, unknown>) => ({ endpoints: { "acme/other": declaration } });

test("fields have names, defaults and ranges of their own, and become the pipeline's", () => {
  const { entry, asPipeline } = endpointOf(
    own({
      inputs: {
        text: { input: "prompt" },
        steps: { input: "num_inference_steps", default: 3, maximum: 6 },
        format: { input: "output_format", values: ["png", "webp"], default: "png" },
      },
      fixed: { guidance_scale: 1 },
    }),
    "acme/other",
  );
  expect(Object.keys(entry.input.properties)).toEqual(["text", "steps", "format"]);
  expect(entry.input.required).toEqual(["text"]);
  expect(() => parse(entry.input, { text: "x", steps: 7 })).toThrow(/steps: .*less than or equal to 6/);
  expect(() => parse(entry.input, { text: "x", format: "jpeg" })).toThrow(/one of "png", "webp"/);
  expect(asPipeline({ text: "x", output_format: "webp" })).toMatchObject({
    prompt: "x",
    num_inference_steps: 3,
    output_format: "png",
    guidance_scale: 1,
    num_images: 1,
  });
});

test("the model's own id keeps the pipeline's words and the model's defaults", () => {
  const { catalog } = endpointOf(own({ inputs: { text: { input: "prompt" } } }), "acme/other");
  const entry = catalog.find("acme/painter");
  expect(entry?.words).toBeUndefined();
  expect(entry && parse(entry.input, { prompt: "x" })).toMatchObject({ num_inference_steps: 12 });
  expect(catalog.list().map(({ model }) => model.aliases)).toEqual([["acme/other"]]);
});

test("an open endpoint takes the pipeline's other inputs too", () => {
  const { asPipeline } = endpointOf(own({ open: true, inputs: { num_inference_steps: { default: 2 } } }), "acme/other");
  expect(asPipeline({ prompt: "x", clip_skip: 2 })).toMatchObject({
    num_inference_steps: 2,
    clip_skip: 2,
    guidance_scale: 3,
  });
});

test("choices of numbers may come as text", () => {
  const inputs = { prompt: {}, num_inference_steps: { values: [1, 4], default: 4 } };
  const { entry, asPipeline } = endpointOf(own({ inputs }), "acme/other");
  expect(asPipeline({ prompt: "x", num_inference_steps: "1" })).toMatchObject({ num_inference_steps: 1 });
  expect(asPipeline({ prompt: "x" })).toMatchObject({ num_inference_steps: 4 });
  expect(() => parse(entry.input, { prompt: "x", num_inference_steps: 3 })).toThrow(/num_inference_steps: .*one of/);
});

test("a text may be one of a few", () => {
  const { entry } = endpointOf(own({ inputs: { prompt: { values: ["a cat", "a dog"] } } }), "acme/other");
  expect(parse(entry.input, { prompt: "a dog" })).toEqual({ prompt: "a dog" });
  expect(() => parse(entry.input, { prompt: "a cow" })).toThrow(/prompt: .*one of "a cat", "a dog"/);
});

test("what means nothing here is checked and goes no further; what would change the result is refused by name", () => {
  const inputs = {
    prompt: {},
    acceleration: { accepted: "string", values: ["none", "high"], default: "none" },
    embeddings: { accepted: "list", default: [], refusal: "Not known here" },
  };
  const { entry, asPipeline } = endpointOf(own({ inputs }), "acme/other");
  expect(asPipeline({ prompt: "x", acceleration: "high", embeddings: [] })).not.toHaveProperty("acceleration");
  expect(() => parse(entry.input, { prompt: "x", acceleration: "fast" })).toThrow(/acceleration: .*one of/);
  expect(() => asPipeline({ prompt: "x", embeddings: [{ path: "a" }] })).toThrow("embeddings: Not known here");
});

test("a field that names the model takes the model's names alone", () => {
  const inputs = { prompt: {}, model_name: { names: "model", required: true } };
  const { entry } = endpointOf(own({ inputs }), "acme/other");
  expect(parse(entry.input, { prompt: "x", model_name: "acme/painter" })).toBeDefined();
  expect(() => parse(entry.input, { prompt: "x" })).toThrow(/model_name: Field required/);
  expect(() => parse(entry.input, { prompt: "x", model_name: "acme/sculptor" })).toThrow(/model_name: .*acme\/painter/);
});

test("answers have the endpoint's fields, some of them the request's", () => {
  const outputs = { images: {}, unsafe: { output: "has_nsfw_concepts" }, prompt: { field: "prompt" } };
  const { entry } = endpointOf(own({ inputs: { prompt: {} }, outputs }), "acme/other");
  expect(Object.keys(entry.output.properties)).toEqual(["images", "unsafe", "prompt"]);
  const output = { images: [], timings: {}, seed: 1, has_nsfw_concepts: [false], prompt: "y" };
  expect(entry.words?.toCaller(output, { prompt: "x" })).toEqual({ images: [], unsafe: [false], prompt: "x" });
});

test("an endpoint like one of fal's differs where its file says so", () => {
  const { entry, asPipeline } = endpointOf(
    own({ like: "fal-ai/fast-sdxl", inputs: { format: { default: "png" }, loras: { accepted: "list" } } }),
    "acme/other",
  );
  expect(asPipeline({ prompt: "x" })).toMatchObject({ output_format: "png", image_size: "square_hd", loras: [] });
  expect(() => parse(entry.input, { prompt: "x", format: "webp" })).toThrow(/one of "jpeg", "png"/);
});

test("messages of a realtime connection have the endpoint's fields, and those of every message", () => {
  const { entry } = endpointOf({ aliases: ["fal-ai/fast-lcm-diffusion"] }, "fal-ai/fast-lcm-diffusion");
  const frame = entry.frame && parse(entry.frame, { prompt: "x", format: "png", image_url: "data:image/png;base64," });
  expect(frame).toMatchObject({ num_inference_steps: 6, strength: 0.8, feedback: 0 });
  expect(entry.frame?.properties).not.toHaveProperty("output_format");
  expect(entry.words?.toPipeline(frame ?? {})).toMatchObject({ output_format: "png", strength: 0.8 });
});

test("the model's examples are told in the endpoint's words", () => {
  const { entry } = endpointOf({ aliases: ["fal-ai/fast-sdxl"] }, "fal-ai/fast-sdxl");
  expect(entry.model.examples).toEqual([{ prompt: "a boat", format: "png" }]);
});

const wrongs: [string, Record<string, unknown>, RegExp][] = [
  ["a field for no input", own({ inputs: { prompt: {}, colour: {} } }), /acme\/other: colour is not an input/],
  ["a needed input without a field", own({ inputs: { seed: {} } }), /no field stands for prompt/],
  ["an unknown likeness", own({ like: "fal-ai/none" }), /like: fal-ai\/none is none of the endpoints/],
  ["a likeness of another pipeline", own({ like: "fal-ai/fast-sdxl/inpainting" }), /of the pipeline inpaint/],
  ["an unknown field of the file", own({ inputs: { prompt: { defualt: 1 } } }), /defualt is not a field/],
  ["a default outside of the range", own({ inputs: { prompt: {}, seed: { default: -1 } } }), /seed: .*greater than/],
  ["words for the model's own id", { endpoints: { "acme/painter": {} } }, /other than the model's own/],
  [
    "an answer without a source",
    own({ inputs: { prompt: {} }, outputs: { a: {} } }),
    /outputs.a: there is no output a/,
  ],
];
test.each(wrongs)("%s is a mistake of the model file", (_, change, message) => {
  expect(() => catalogOf(change)).toThrow(message);
});

test("every endpoint of fal's that is known here fits its pipeline", () => {
  for (const [endpoint, { pipeline }] of Object.entries(falEndpoints)) {
    const price = { unit: "request", amount: 0, currency: "USD" };
    const entry = catalogOf({ pipeline, aliases: [endpoint], defaults: {}, examples: [], price }).find(endpoint);
    expect(entry?.words).toBeDefined();
  }
});
