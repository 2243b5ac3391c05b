// Model files of several sources: what they may say, and what each variant has of each.
import { describe, expect, test } from "bun:test";
import { readModel } from "../../src/control/catalog/read-model.ts";
import { partsOf, repoPartsOf } from "../../src/engine/sources.ts";
import { modelOn } from "../../src/engine/variants.ts";
import { earsSource, twoSources, twoSourcesByDevice } from "../support/two-sources.ts";

const wrong = (change: Record<string, unknown>) => expect(() => readModel(twoSources(change)));
const ears = (more: Record<string, unknown> = {}) => ({ ears: { source: { ...earsSource, ...more } } });

test("a model's own source comes first, the others by their folders", () => {
  const model = readModel(twoSources({ beside: { ...ears(), "a/b": { source: { path: "/somewhere" } } } }));
  expect(partsOf(model).map(({ id, folder }) => [id, folder])).toEqual([
    ["acme/two", ""],
    ["acme/two", "ears"],
    ["acme/two", "a/b"],
  ]);
  expect(repoPartsOf(model).map(({ source }) => source.repo)).toEqual(["acme/own", "acme/ears"]);
  expect(partsOf({ id: "a/b", source: { path: "/x" } })).toEqual([{ id: "a/b", folder: "", source: { path: "/x" } }]);
});

describe("refused with the field that is wrong", () => {
  for (const folder of ["../out", "/etc", "a/../b", ".hidden", "a//b", "a/", ""])
    test(`the folder ${JSON.stringify(folder)}`, () => {
      wrong({ beside: { [folder]: { source: earsSource } } }).toThrow("beside");
    });
  test("two sources of one repository", () => {
    wrong({ beside: ears({ repo: "acme/own" }) }).toThrow("acme/own is named twice");
  });
  test("further sources of a model that has none of its own", () => {
    wrong({ source: { embedded: "none" } }).toThrow("name one of these there");
  });
  test("a licence that forbids what the model's allows", () => {
    const licence = { id: "CC-BY-NC-4.0", commercial: false };
    wrong({ beside: { ears: { source: earsSource, licence } } }).toThrow("beside.ears allows no commercial use");
    const both = { licence, beside: { ears: { source: earsSource, licence } } };
    expect(readModel(twoSources(both)).beside.ears?.licence).toEqual(licence);
  });
  test("a spelling mistake in one of them", () => {
    wrong({ beside: ears({ revisoin: "main" }) }).toThrow("beside.ears.source.revisoin");
  });
  test("a variant's files of a source that is not there, or in the other form", () => {
    const devices = { cpu: "fp32", webgpu: "fp32", cuda: "fp32" };
    const further = { include: ["*.bin"], bytes: 1 };
    wrong({ devices, variants: { fp32: { beside: { nose: further } } } }).toThrow(
      "variants.fp32.beside: the model has",
    );
    const files = [{ path: "a", bytes: 1, sha256: "0".repeat(64) }];
    wrong({ devices, variants: { fp32: { beside: { ears: { files } } } } }).toThrow("variants.fp32.beside.ears.files");
  });
});

test("each variant has files of its own in each source", () => {
  const model = readModel(twoSourcesByDevice({ include: ["onnx/half.onnx"], bytes: 2000 }));
  const wanted = (kind: "cpu" | "cuda") =>
    repoPartsOf(modelOn(model, kind)).map(({ source }) => "include" in source && [source.include, source.bytes]);
  expect(wanted("cpu")).toEqual([
    [["*.json", "onnx/*"], 4040],
    [["*.json", "onnx/model.onnx"], 3050],
  ]);
  expect(wanted("cuda")).toEqual([
    [["*.json", "onnx/*", "onnx/half.onnx"], 6040],
    [["*.json", "onnx/half.onnx"], 1550],
  ]);
});
