import { expect, test } from "bun:test";
import type { Pixels, ResizeOptions } from "../../../src/core/pipeline.ts";
import { resize } from "../../../src/engine/tensor/resize.ts";
import fixture from "./resize.json";

const picture: Pixels = { ...fixture, data: Uint8Array.from(fixture.data), channels: 3 };

for (const { width, height, kernel, data } of fixture.cases) {
  test(`${kernel} to ${width}x${height} gives Pillow's bytes`, async () => {
    const resized = await resize(picture, { width, height, kernel: kernel as ResizeOptions["kernel"] });
    expect(resized).toEqual({ width, height, channels: 3, data: Uint8Array.from(data) });
  });
}

test("grey and transparent pictures keep their channels", async () => {
  for (const channels of [1, 4] as const) {
    const plain: Pixels = { data: new Uint8Array(6 * 4 * channels).fill(77), width: 6, height: 4, channels };
    const resized = await resize(plain, { width: 3, height: 9, kernel: "lanczos3" });
    expect(resized).toEqual({ data: new Uint8Array(27 * channels).fill(77), width: 3, height: 9, channels });
  }
});
