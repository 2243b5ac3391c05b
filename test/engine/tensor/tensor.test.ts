import { expect, test } from "bun:test";
import type { DType } from "../../../src/core/tensor.ts";
import { pixelsToPlanes, planesToPixels } from "../../../src/engine/tensor/pixels.ts";
import { softmax } from "../../../src/engine/tensor/softmax.ts";
import { requirePort, tensorOf, toFloats } from "../../../src/engine/tensor/tensor.ts";

const DTYPES: DType[] = ["float32", "float16", "float64", "int64", "int32", "int16", "int8", "uint8", "uint16"];

for (const dtype of DTYPES) {
  test(`small whole numbers survive the way through ${dtype}`, () => {
    const tensor = tensorOf(dtype, [2, 2], [0, 1, 2, 100]);
    expect(tensor.shape).toEqual([2, 2]);
    expect(toFloats(tensor)).toEqual(Float32Array.of(0, 1, 2, 100));
  });
}

test("float16 data are the bit patterns of IEEE half precision", () => {
  expect(tensorOf("float16", [4], [1, -2, 65504, 1e-7]).data).toEqual(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0002));
});

test("float32 values are taken over without a copy", () => {
  const values = Float32Array.of(1, 2, 3);
  expect(tensorOf("float32", [3], values).data).toBe(values);
  expect(toFloats(tensorOf("float32", [3], values))).toBe(values);
});

test("values that do not fill the shape are refused", () => {
  expect(() => tensorOf("float32", [2, 3], [1, 2, 3])).toThrow("do not fill");
});

test("a port is found by any of its names, or because it is the only one, and else its absence is explained", () => {
  const port = (name: string) => ({ name, dtype: "float32" as const, shape: [] });
  const ports = [port("sample"), port("t")];
  expect(requirePort(ports, { names: ["timestep", "t"], of: "UNet" }).name).toBe("t");
  expect(requirePort([port("odd")], { names: ["sample"], of: "UNet" }).name).toBe("odd");
  expect(() => requirePort(ports, { names: ["latent"], of: "UNet" })).toThrow('lacks "latent"; it has sample, t');
});

test("pictures survive the way to planes and back, and values out of range are clamped", () => {
  const pixels = { data: Uint8Array.from({ length: 18 }, (_, i) => i * 14), width: 3, height: 2, channels: 3 as const };
  const how = { scale: 1 / 255, mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] };
  expect(planesToPixels(pixelsToPlanes(pixels, how), pixels)).toEqual(pixels);
  expect(planesToPixels(Float32Array.of(-3, 0, 3), { width: 1, height: 1 }).data).toEqual(Uint8Array.of(0, 128, 255));
});

test("softmax gives shares of one, also for scores whose powers overflow", () => {
  const [low = 0, high = 0] = softmax([1000, 1001]);
  expect(low + high).toBeCloseTo(1, 12);
  expect(high / low).toBeCloseTo(Math.E, 9);
});
