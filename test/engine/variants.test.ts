// One model file, other files for other devices: what each device gets, and files that contradict themselves.
import { describe, expect, test } from "bun:test";
import { readModel } from "../../src/control/catalog/read-model.ts";
import { dtypeOfFile, pathIn } from "../../src/engine/dtypes.ts";
import { allVariants, dtypeOf, dtypeOnDevice, footprintOf, modelOn, variantsOn } from "../../src/engine/variants.ts";
import { testModel } from "../support/test-models.ts";
import { variantModel } from "../support/variant-model.ts";

const model = readModel(variantModel());

test("each kind of device has the shared files and those of its variant", () => {
  expect(modelOn(model, "cpu")).toMatchObject({
    dtype: "fp32",
    graphs: {},
    source: { include: ["config.json", "onnx/model.onnx"], bytes: 4040 },
  });
  expect(modelOn(model, "cuda")).toMatchObject({
    dtype: "fp16",
    graphs: { "onnx/model.onnx": "onnx/model_fp16.onnx" },
    source: { include: ["config.json", "onnx/model_fp16.onnx"], bytes: 2040 },
  });
  expect(Number(footprintOf(modelOn(model, "cuda")))).toBe(60_000_000);
  expect(Number(footprintOf(modelOn(model, "cpu")))).toBe(model.memory.weights + model.memory.working);
});

test("kinds that share a variant have it once, as the same object whenever it is asked for", () => {
  expect(modelOn(model, "webgpu")).toBe(modelOn(model, "cuda"));
  expect(variantsOn(model, ["cuda", "webgpu", "cpu"]).map(({ dtype }) => dtype)).toEqual(["fp16", "fp32"]);
  expect(allVariants(model).map(({ dtype }) => dtype)).toEqual(["fp32", "fp16"]);
});

test("files of a pinned source are added to", () => {
  const pin = (path: string) => ({ path, bytes: 1, sha256: "0".repeat(64) });
  const pinned = readModel(
    variantModel("acme/pinned", {
      source: { repo: "acme/weights", revision: "a".repeat(40), files: [pin("config.json")] },
      variants: { fp32: { files: [pin("a.onnx")] }, fp16: { files: [pin("b.onnx")] } },
    }),
  );
  expect(modelOn(pinned, "cuda").source).toMatchObject({ files: [{ path: "config.json" }, { path: "b.onnx" }] });
});

test("a model without variants is itself on every device", () => {
  const plain = readModel(testModel("acme/plain"));
  expect(modelOn(plain, "cuda")).toBe(plain);
  expect(variantsOn(plain, ["cuda", "cpu"])).toEqual([plain]);
  expect(dtypeOf(plain)).toBeUndefined();
});

test("the dtype is what the file says, else what the names of its graphs tell", () => {
  const named = (change: Record<string, unknown>) => dtypeOf(readModel(testModel("acme/x", change)));
  expect(named({ dtype: "fp32" })).toBe("fp32");
  expect(named({ graphs: { "onnx/model.onnx": "onnx/model_quantized.onnx" } })).toBe("q8");
  const two = { "onnx/a.onnx": "onnx/a_fp16.onnx", "onnx/b.onnx": "onnx/b_q4.onnx" };
  expect(named({ graphs: two })).toBe("fp16+q4");
  expect(named({ graphs: { "onnx/model.onnx": "lama_fp32.onnx" } })).toBeUndefined();
  expect(dtypeOnDevice(model, "cuda:1")).toBe("fp16");
  expect(dtypeOnDevice(model, "cpu")).toBe("fp32");
  expect(dtypeOnDevice(model, "")).toBeUndefined();
});

test("names of files and dtypes lead to each other", () => {
  expect(pathIn("q8", "onnx/model.onnx")).toBe("onnx/model_quantized.onnx");
  expect(dtypeOfFile("onnx/model.onnx", "onnx/model_q4f16.onnx")).toBe("q4f16");
  expect(dtypeOfFile("onnx/model.onnx", "fp16/model.onnx")).toBe("fp32");
  expect(dtypeOfFile("onnx/model.onnx", "onnx/other.onnx")).toBeUndefined();
});

describe("refused, with the field", () => {
  const pin = [{ path: "a.onnx", bytes: 1, sha256: "0".repeat(64) }];
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ["a variant that is not there", { devices: { cpu: "q4", webgpu: "fp16", cuda: "fp16" } }, /q4 is none of the var/],
    ["variants for no device", { devices: undefined }, /variants: `devices` has to say/],
    ["devices without variants", { variants: {} }, /devices: there are no variants/],
    ["a kind of device left out", { devices: { cpu: "fp32", cuda: "fp16" } }, /devices.webgpu/],
    ["a dtype beside variants", { dtype: "fp16" }, /dtype: each variant/],
    ["files without pinned ones", { variants: { fp32: { files: pin }, fp16: {} } }, /variants.fp32.files/],
    ["patterns without a size", { variants: { fp32: { include: ["a"] }, fp16: {} } }, /variants.fp32.bytes/],
    ["patterns without patterns", { source: { path: "/x" } }, /variants.fp32.include: its source has no patterns/],
    ["a field that is none", { variants: { fp32: { quick: true }, fp16: {} } }, /variants.fp32.quick is not a field/],
  ];
  test.each(wrong)("%s", (_, change, message) => {
    expect(() => readModel(variantModel("acme/wrong", change))).toThrow(message);
  });
});
