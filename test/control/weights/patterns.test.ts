// Which files patterns choose.
import { expect, test } from "bun:test";
import { choose, type Patterns } from "../../../src/control/weights/patterns.ts";

const tree = [
  "README.md",
  "config.json",
  "onnx/model.onnx",
  "onnx/model.onnx_data",
  "onnx/model.onnx_data_1",
  "onnx/model_q4.onnx",
  "unet/model.onnx",
  "unet/model.onnx.data",
  "unet/weights.pb",
  "tokenizer/vocab.json",
].map((path) => ({ path }));

const chosen = (patterns: Patterns) => choose(tree, patterns).map(({ path }) => path);

test("no pattern means every file", () => expect(chosen({})).toEqual(tree.map(({ path }) => path)));

test("a star stays within its folder, two stars cross folders", () => {
  expect(chosen({ include: ["*.json"] })).toEqual(["config.json"]);
  expect(chosen({ include: ["**/*.json"] })).toEqual(["config.json", "tokenizer/vocab.json"]);
});

test("a folder's name with a slash means all below it", () => {
  expect(chosen({ include: ["tokenizer/"] })).toEqual(["tokenizer/vocab.json"]);
});

test("a graph brings its external data along, whatever its exporter called it", () => {
  expect(chosen({ include: ["onnx/model.onnx"] })).toEqual([
    "onnx/model.onnx",
    "onnx/model.onnx_data",
    "onnx/model.onnx_data_1",
  ]);
  expect(chosen({ include: ["unet/model.onnx"] })).toEqual(["unet/model.onnx", "unet/model.onnx.data"]);
  expect(chosen({ include: ["onnx/model_q4.onnx"] })).toEqual(["onnx/model_q4.onnx"]);
});

test("what is excluded is taken away, external data too", () => {
  expect(chosen({ include: ["onnx/"], exclude: ["**/*_q4.onnx", "**/*_data_1"] })).toEqual([
    "onnx/model.onnx",
    "onnx/model.onnx_data",
  ]);
  expect(chosen({ exclude: ["**/*.onnx*", "*.md"] })).toEqual([
    "config.json",
    "unet/weights.pb",
    "tokenizer/vocab.json",
  ]);
});

test("a pattern that matches nothing is an error that shows what there is", () => {
  expect(() => chosen({ include: ["*.json", "onnx/model_fp16.onnx"] })).toThrow(
    "No file matches onnx/model_fp16.onnx. There are: README.md, config.json, onnx/model.onnx",
  );
});

test("a pattern with ! is told where it belongs", () => {
  expect(() => chosen({ include: ["!*.md"] })).toThrow("under exclude");
});
