// The section `onnx` of a model file: strict, and the API follows from it.
import { expect, test } from "bun:test";
import { YAML } from "bun";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { parse } from "../../../src/core/schema.ts";

const base = {
  id: "acme/graph",
  title: "Graph",
  description: "Computes.",
  category: "vision",
  licence: { id: "MIT", commercial: true },
  pipeline: "onnx",
  source: { path: "/nowhere" },
  memory: { weights: 1, working: 1 },
  price: { unit: "request", amount: 0, currency: "USD" },
};
const entryOf = (onnx: unknown) => {
  const text = YAML.stringify({ ...base, ...(onnx !== undefined && { onnx }) });
  const [entry] = createCatalog({ builtIn: [{ file: "models/graph.yaml", text }] }).list();
  if (!entry) throw new Error("no model");
  return entry;
};

test("fields of request and answer follow from the inputs and outputs", () => {
  const { input, output, takesMedia } = entryOf({
    inputs: { picture: { kind: "image" }, numbers: { kind: "tensor", tensor: "x", shape: [2], minimum: 0 } },
    outputs: { found: { kind: "classes", top: 3 }, drawn: { kind: "mask", cutout: "cut" } },
  });
  expect(takesMedia).toBe(true);
  expect(Object.keys(output.properties)).toEqual(["found", "drawn", "cut"]);
  const request = { picture: "https://example.org/p.png", numbers: [1, 2] };
  expect(parse(input, request)).toEqual({ ...request, top_k: 3, output_format: "png", sync_mode: false });
  expect(() => parse(input, { ...request, numbers: [1] })).toThrow(/numbers: Input should have at least 2/);
  expect(() => parse(input, { ...request, numbers: [1, -1] })).toThrow(/numbers.1: .*greater than or equal to 0/);
  expect(() => parse(input, { numbers: [1, 2] })).toThrow(/picture: Field required/);
});

test("a graph without pictures in its answer has no fields about their format", () => {
  const { input } = entryOf({ inputs: { text: { kind: "text" } }, outputs: { embedding: { kind: "embedding" } } });
  expect(Object.keys(input.properties)).toEqual(["text"]);
});

test.each([
  [{ inputs: { a: { kind: "image", widht: 3 } }, outputs: {} }, /onnx\.inputs\.a\.widht is not a field/],
  [{ inputs: { a: { kind: "image", width: "wide" } }, outputs: {} }, /onnx\.inputs\.a\.width: .*integer/],
  [{ inputs: { a: { kind: "smell" } }, outputs: {} }, /onnx\.inputs\.a\.kind: .*"image"/],
  [{ inputs: { a: { kind: "audio" } }, outputs: {} }, /onnx\.inputs\.a\.rate: Field required/],
  [
    { inputs: { a: { kind: "image", width: 8, height: 8, tiles: {} } }, outputs: { b: { kind: "mask" } } },
    /onnx\.outputs\.b has places in a picture.*without tiles/,
  ],
  [undefined, /needs the section onnx/],
])("a wrong declaration is refused with the name of the field: %#", (onnx, message) => {
  expect(() => entryOf(onnx)).toThrow(message);
});
