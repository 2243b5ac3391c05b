import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageCodec } from "../../../src/core/pipeline.ts";
import { createAssets } from "../../../src/engine/runner/assets.ts";

const never = () => Promise.reject();
const codec: ImageCodec = { decode: never, encode: never, film: never, animate: never };
let root = "";
let opened: string[] = [];
let released = 0;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "forecourt-assets-"));
  mkdirSync(join(root, "weights/unet"), { recursive: true });
  writeFileSync(join(root, "secret.json"), "{}");
  writeFileSync(join(root, "weights/config.json"), '{"a":1}');
  writeFileSync(join(root, "weights/broken.json"), "{");
  writeFileSync(join(root, "weights/unet/model.onnx"), "");
  [opened, released] = [[], 0];
});
afterEach(() => rmSync(root, { recursive: true }));

const open = async (path: string) => {
  opened.push(path);
  return { inputs: [], outputs: [], run: async () => ({}), release: async () => void released++ };
};
const openTransformers = async (className: string) => {
  opened.push(className);
  return { call: async () => className, get: () => className, release: async () => void released++ };
};
const assets = () => createAssets({ folder: join(root, "weights"), open, openTransformers, codec });

test("files are read by their path below the folder", async () => {
  expect(await assets().json<{ a: number }>("config.json")).toEqual({ a: 1 });
  expect(await assets().text("config.json")).toBe('{"a":1}');
  expect(await assets().bytes("config.json")).toHaveLength(7);
  expect(assets().has("config.json")).toBe(true);
  expect(assets().has("absent.json")).toBe(false);
  expect(assets().list("unet")).toEqual(["model.onnx"]);
  expect(assets().list("absent")).toEqual([]);
});

for (const path of ["../secret.json", "unet/../../secret.json", "/etc/hostname", ".", ""]) {
  test(`the path "${path}" is refused as outside the folder`, async () => {
    await expect(assets().text(path)).rejects.toMatchObject({ code: "weights_missing" });
    expect(() => assets().has(path)).toThrow("outside the weights");
  });
}

test("links out of the folder are followed, as in the Hub's cache of blobs and snapshots", async () => {
  symlinkSync("../secret.json", join(root, "weights/linked.json"));
  expect(await assets().json<object>("linked.json")).toEqual({});
});

test("an absent or broken file is missing weights and named", async () => {
  await expect(assets().json("absent.json")).rejects.toMatchObject({
    code: "weights_missing",
    message: expect.stringContaining("absent.json"),
  });
  await expect(assets().json("broken.json")).rejects.toMatchObject({
    code: "weights_missing",
    message: expect.stringContaining("broken.json is not valid JSON"),
  });
  await expect(assets().graph("absent.onnx")).rejects.toMatchObject({ code: "weights_missing" });
});

test("the numbers that Python adds to JSON are read as null", async () => {
  writeFileSync(join(root, "weights/python.json"), '{"a": -Infinity, "b": [NaN, Infinity ], "c": "x: NaN!"}');
  expect(await assets().json<object>("python.json")).toEqual({ a: null, b: [null, null], c: "x: NaN!" });
});

test("a graph is opened once and released with the others", async () => {
  const given = assets();
  const [first, second] = await Promise.all([given.graph("unet/model.onnx"), given.graph("unet/model.onnx")]);
  expect(first).toBe(second);
  expect(opened).toEqual([join(root, "weights/unet/model.onnx")]);
  await given.release();
  expect(released).toBe(1);
});

test("a model may name another file for a graph", async () => {
  const graphs = { "onnx/model.onnx": "unet/model.onnx" };
  await createAssets({ folder: join(root, "weights"), graphs, open, openTransformers, codec }).graph("onnx/model.onnx");
  expect(opened).toEqual([join(root, "weights/unet/model.onnx")]);
});

test("an object of transformers.js is opened once and freed with the graphs", async () => {
  const all = assets();
  const [first, second] = [await all.transformers("AutoProcessor"), await all.transformers("AutoProcessor")];
  expect(first).toBe(second);
  expect(opened).toEqual(["AutoProcessor"]);
  await all.release();
  expect(released).toBe(1);
});
