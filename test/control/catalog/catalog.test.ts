// The catalogue: files of models become endpoints with schemas of their own, or a complaint that names file and field.
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { modelFileSchema } from "../../../src/control/catalog/file-schema.ts";
import { parse } from "../../../src/core/schema.ts";
import { testFolder } from "../../support/test-folder.ts";

const folder = testFolder("catalog");

const base = {
  id: "acme/echo",
  title: "Echo",
  description: "Says it again.",
  category: "llm",
  licence: { id: "MIT", commercial: true },
  pipeline: "echo",
  source: { embedded: "none" },
  memory: { weights: 1, working: 1 },
  price: { unit: "request", amount: 0, currency: "USD" },
};
const file = (change: Record<string, unknown> = {}, name = "models/echo.yaml") => ({
  file: name,
  text: YAML.stringify({ ...base, ...change }),
});
const catalogOf = (...files: { file: string; text: string }[]) => createCatalog({ builtIn: files });
const only = (change: Record<string, unknown>) => {
  const [entry] = catalogOf(file(change)).list();
  if (!entry) throw new Error("no model");
  return entry;
};

test("config/model.schema.json follows from the code", () => {
  const path = join(import.meta.dir, "../../../config/model.schema.json");
  expect(readFileSync(path, "utf8")).toBe(modelFileSchema());
});

test("fields that a model file may leave out have their defaults", () => {
  const { model } = only({});
  expect(model).toMatchObject({ aliases: [], defaults: {}, tags: [], limits: { timeoutSeconds: 600, maxBatch: 1 } });
});

test("a model's defaults replace the pipeline's and free a field from being required", () => {
  const { input } = only({ defaults: { prompt: "again", steps: 5 } });
  expect(input.required).toBeUndefined();
  expect(parse(input, {})).toMatchObject({ prompt: "again", steps: 5 });
  expect(parse(input, { steps: 2 })).toMatchObject({ steps: 2 });
});

test("what the model does not set stays as the pipeline has it", () => {
  const { input } = only({ defaults: { steps: 5 } });
  expect(input.required).toEqual(["prompt"]);
  expect(() => parse(input, {})).toThrow(/prompt: Field required/);
});

test("bounds only tighten a range, and the default moves inside", () => {
  const { input } = only({ bounds: { steps: { minimum: 3, maximum: 5000 } } });
  expect(input.properties.steps).toMatchObject({ minimum: 3, maximum: 1000, default: 3 });
  expect(() => parse(input, { prompt: "x", steps: 2 })).toThrow(/steps: .*greater than or equal to 3/);
});

test("bounds of a picture's size hold for both sides and drop the presets beyond them", () => {
  const { input } = only({ pipeline: "text-to-image", bounds: { image_size: { maximum: 600 } } });
  const sized = (image_size: unknown) => () => parse(input, { prompt: "x", image_size });
  expect(sized("square")()).toMatchObject({ image_size: "square" });
  expect(sized("square_hd")).toThrow(/image_size: Input should be one of "square"/);
  expect(sized({ width: 600, height: 64 })()).toMatchObject({ image_size: { width: 600, height: 64 } });
  expect(sized({ width: 64, height: 601 })).toThrow(/image_size.height: .*less than or equal to 600/);
  expect(parse(input, { prompt: "x" })).not.toHaveProperty("image_size");
});

test("one model's changes do not reach another model of the same pipeline", () => {
  const catalog = catalogOf(file({ defaults: { steps: 9 } }), file({ id: "acme/other" }, "models/other.yaml"));
  const prompt = { prompt: "x" };
  expect(catalog.list().map(({ input }) => parse(input, prompt).steps)).toEqual([9, 1]);
});

test("a model whose input has a URL of a file is known to take media", () => {
  const similarity = file({ pipeline: "image-text-similarity" });
  expect(catalogOf(similarity).find("acme/echo")?.takesMedia).toBe(true);
  expect(only({}).takesMedia).toBe(false);
});

test("a path is split at the longest endpoint that is known", () => {
  const catalog = catalogOf(
    file({ aliases: ["fal-ai/fleet"] }),
    file({ id: "acme/dev", aliases: ["fal-ai/fleet/dev"] }, "models/dev.yaml"),
  );
  const split = (path: string) => {
    const found = catalog.match(path);
    return found && [found.entry.model.id, found.endpoint, found.rest];
  };
  expect(split("fal-ai/fleet/dev/stream")).toEqual(["acme/dev", "fal-ai/fleet/dev", "/stream"]);
  expect(split("/fal-ai/fleet/requests/1/status")).toEqual(["acme/echo", "fal-ai/fleet", "/requests/1/status"]);
  expect(split("acme/echo")).toEqual(["acme/echo", "acme/echo", ""]);
  expect(split("fal-ai/sdxl")).toBeUndefined();
  expect(split("fal-ai")).toBeUndefined();
  expect(split("constructor/prototype")).toBeUndefined();
});

test("the operator's file takes the place of the built-in model of its id", () => {
  const data = join(folder, "own");
  mkdirSync(join(data, "models"), { recursive: true });
  writeFileSync(join(data, "models", "mine.yaml"), file({ title: "Mine" }).text);
  writeFileSync(join(data, "models", "notes.txt"), "not a model");
  const catalog = createCatalog({ data, builtIn: [file(), file({ id: "acme/b" }, "models/b.yaml")] });
  expect(catalog.find("acme/echo")).toMatchObject({
    origin: join(data, "models", "mine.yaml"),
    model: { title: "Mine" },
  });
  expect(catalog.find("acme/b")?.origin).toBe("built-in");
  expect(catalog.list()).toHaveLength(2);
});

test("a price beyond what can be counted exactly is refused: a job at such a price never came to its end", () => {
  const priced = (amount: number, also = 0) => ({
    price: { unit: "request", amount, currency: "USD", also: [{ unit: "gpu_second", amount: also }] },
  });
  expect(only(priced(9000, 9000)).model.price.amount).toBe(9000);
  for (const change of [priced(9000.1), priced(1e300), priced(0, 1e300)])
    expect(() => only(change)).toThrow(/price\.\S*amount: Input should be less than or equal to 9000\.$/);
});

test("a price is in units that the model's pipeline counts, or that every job does", () => {
  const priced = (unit: string, also: string[] = []) => ({
    pipeline: "text-to-image",
    price: { unit, amount: 1, currency: "USD", also: also.map((each) => ({ unit: each, amount: 1 })) },
  });
  expect(only(priced("megapixel", ["step", "request", "gpu_second"])).model.price.also).toHaveLength(3);
  const counted = "images, megapixels, steps, requests, gpu_seconds";
  const complaint = (field: string, unit: string) =>
    `models/echo.yaml: ${field}: the pipeline text-to-image never counts ${unit}; what is counted: ${counted}.`;
  expect(() => only(priced("second"))).toThrow(complaint("price.unit", "seconds"));
  expect(() => only(priced("image", ["step", "pixie"]))).toThrow(complaint("price.also.1.unit", "pixies"));
  const spoken = { pipeline: "chat", price: { unit: "token", amount: 1, currency: "USD" } };
  expect(only(spoken).model.price.unit).toBe("token");
  expect(() => only({ ...spoken, price: { ...spoken.price, unit: "image" } })).toThrow("never counts images");
});

/** Of the shapes that a source may have the one that was meant is explained, and nothing else. */
function sources(...cases: [source: unknown, message: string][]): typeof wrong {
  return cases.map(([source, message]) => [
    `the source ${JSON.stringify(source)}`,
    [file({ source })],
    new RegExp(`^models/echo.yaml: ${message}\\.$`),
  ]);
}

const wrong: [string, { file: string; text: string }[], RegExp][] = [
  ["text that is not YAML", [{ file: "models/a.yaml", text: "id: [" }], /^models\/a.yaml: not valid YAML/],
  ["a list", [{ file: "models/a.yaml", text: "- 1" }], /^models\/a.yaml: should be a mapping/],
  ["an unknown field", [file({ pipline: "echo" })], /^models\/echo.yaml: pipline is not a field/],
  ["an unknown field inside", [file({ limits: { timeout: 3 } })], /limits.timeout is not a field .*timeoutSeconds/],
  ["an unknown field of a source", [file({ source: { embedded: "x", hash: 1 } })], /source.hash is not a field/],
  ["a missing field", [file({ memory: undefined })], /^models\/echo.yaml: memory: Field required/],
  ["an unknown pipeline", [file({ pipeline: "magic" })], /pipeline: Input should be one of .*"echo"/],
  ["an id without an owner", [file({ id: "echo" })], /^models\/echo.yaml: id: /],
  ["a default for no input", [file({ defaults: { colour: 1 } })], /colour is not an input of this pipeline \(prompt/],
  [
    "a default that the input refuses",
    [file({ defaults: { steps: "ten" } })],
    /steps: Input should be a valid integer/,
  ],
  [
    "a default outside of the bounds",
    [file({ defaults: { steps: 9 }, bounds: { steps: { maximum: 5 } } })],
    /equal to 5/,
  ],
  ["bounds of a text", [file({ bounds: { prompt: { maximum: 5 } } })], /bounds.prompt: prompt is not a number/],
  [
    "bounds without a number between",
    [file({ bounds: { steps: { minimum: 2000 } } })],
    /no number is between 2000 and 1000/,
  ],
  ...sources(
    [{ repo: "a/b", revision: "main", include: ["*"] }, "source.bytes: Field required"],
    [
      { repo: "https://huggingface.co/a/b", revision: "main", include: ["*"], bytes: 1 },
      "source.repo: .* openai/whisper-base, without the Hub.s address",
    ],
    [{ urls: [{ url: "http://a/m.onnx", bytes: "9 MB", sha256: "0".repeat(64) }] }, "source.urls.0.bytes: .* integer"],
    [{ path: "weights" }, "source.path: Input should be an absolute path"],
    ["/srv/weights", "source: Input should be a valid dictionary"],
  ),
  [
    "a part of the section onnx, without what may be left out beside it,",
    [file({ pipeline: "onnx", onnx: { inputs: { image_url: { kind: "image", width: 0, height: 8 } }, outputs: {} } })],
    /echo.yaml: onnx.inputs.image_url.width: Input should be greater than or equal to 1\.$/,
  ],
  ["an id that is taken", [file(), file({}, "models/b.yaml")], /^models\/b.yaml: the id acme\/echo is already taken/],
  [
    "an alias that is another's id",
    [file(), file({ id: "acme/b", aliases: ["acme/echo"] }, "models/b.yaml")],
    /acme\/echo is already taken/,
  ],
];
test("an alias of the operator's file is theirs where a built-in model has it too", () => {
  const data = mkdtempSync(join(folder, "own-"));
  mkdirSync(join(data, "models"));
  const own = file({ id: "acme/mine", aliases: ["fal-ai/some"] });
  writeFileSync(join(data, "models/mine.yaml"), own.text);
  const catalog = createCatalog({ data, builtIn: [file({ aliases: ["fal-ai/some", "fal-ai/other"] })] });
  expect(catalog.find("fal-ai/some")?.model.id).toBe("acme/mine");
  expect(catalog.find("fal-ai/other")?.model.id).toBe("acme/echo");
});

test.each(wrong)("%s is refused, with the file's name", (_, files, message) => {
  expect(() => catalogOf(...files)).toThrow(message);
});

test("of the operator's files those that are wrong are left out, and each is named", () => {
  const data = mkdtempSync(join(folder, "wrong-"));
  mkdirSync(join(data, "models"));
  const write = (name: string, text: string) => writeFileSync(join(data, "models", name), text);
  write("a.yaml", file({ titel: "Mine" }).text);
  write("b.yaml", "id: [");
  write("c.yaml", file({ id: "acme/c" }).text);
  mkdirSync(join(data, "models", "d.yaml"));
  const catalog = createCatalog({ data, builtIn: [file()] });
  const of = (name: string, said: string) => expect.stringContaining(`${join(data, "models", name)}: ${said}`);
  expect(catalog.wrong().map(({ reason }) => reason)).toEqual([
    of("a.yaml", "titel is not a field"),
    of("b.yaml", "not valid YAML"),
    of("d.yaml", "it is no plain file"),
  ]);
  expect(catalog.list().map(({ model }) => model.id)).toEqual(["acme/c"]);
});
