// `key=value` arguments as a model's input.
import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readInput } from "../../../src/cli/run/input.ts";
import { choice, mediaUrl, Type } from "../../../src/core/schema.ts";
import { newFolder, removeFolders } from "../command.ts";

afterAll(removeFolders);

const schema = Type.Object({
  prompt: Type.String(),
  steps: Type.Integer(),
  guidance_scale: Type.Number(),
  sync_mode: Type.Boolean(),
  image_url: mediaUrl("image", "A picture."),
  image_urls: Type.Array(mediaUrl("image", "A picture.")),
  image_size: Type.Union([choice(["square", "landscape"]), Type.Object({ width: Type.Integer() })]),
  seed: Type.Union([Type.Integer(), Type.Null()]),
  loras: Type.Array(Type.Object({ path: Type.String() })),
});

describe("values are read as the field's type", () => {
  const cases: Record<string, unknown> = {
    "prompt=a = b": { prompt: "a = b" },
    "prompt=12": { prompt: "12" },
    "prompt=@home": { prompt: "@home" },
    "prompt=": { prompt: "" },
    "steps=12": { steps: 12 },
    "guidance_scale=7.5": { guidance_scale: 7.5 },
    "sync_mode=true": { sync_mode: true },
    "image_size=square": { image_size: "square" },
    'image_size={"width":64}': { image_size: { width: 64 } },
    "seed=42": { seed: 42 },
    "seed=null": { seed: null },
    'loras=[{"path":"x"}]': { loras: [{ path: "x" }] },
    "image_urls=https://a/1.png,https://a/2.png": { image_urls: ["https://a/1.png", "https://a/2.png"] },
  };
  for (const [pair, value] of Object.entries(cases))
    test(pair, async () => expect(await readInput(schema, [pair])).toEqual(value as Record<string, unknown>));
});

test("what does not read as its type stays text for the model to refuse by name", async () => {
  expect(await readInput(schema, ["steps=many", "sync_mode=yes", "guidance_scale= "])).toEqual({
    steps: "many",
    sync_mode: "yes",
    guidance_scale: " ",
  });
});

test("@file in a field for pictures becomes a data URI with the file's type", async () => {
  const path = join(newFolder(), "dot.PNG");
  writeFileSync(path, Buffer.from("picture"));
  const uri = `data:image/png;base64,${btoa("picture")}`;
  expect(await readInput(schema, [`image_url=@${path}`])).toEqual({ image_url: uri });
  expect(await readInput(schema, [`image_urls=@${path},@${path}`])).toEqual({ image_urls: [uri, uri] });
});

test("a missing file, a word without = and an unknown name are told apart", async () => {
  await expect(readInput(schema, ["image_url=@/no/such.png"])).rejects.toMatchObject({ code: "not_found" });
  await expect(readInput(schema, ["prompt"])).rejects.toThrow("key=value");
  await expect(readInput(schema, ["promt=x"])).rejects.toThrow(
    "promt is no input of this model; it takes prompt, steps",
  );
});

test("the name of a file that is there, without @, is taken for no address", async () => {
  const path = join(newFolder(), "dot.png");
  await expect(readInput(schema, [`image_url=${path}`])).resolves.toEqual({ image_url: path });
  writeFileSync(path, "picture");
  await expect(readInput(schema, [`image_url=${path}`])).rejects.toThrow(`image_url=@${path}`);
});
