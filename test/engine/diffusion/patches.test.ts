import { expect, test } from "bun:test";
import { patches, patchPositions } from "../../../src/engine/diffusion/patches.ts";

test("a token holds a square of four latents of each channel, and unpacking undoes packing", () => {
  // One row, two channels, 2 x 4 latents: channel 0 holds 0..7, channel 1 holds 8..15.
  const latents = Float32Array.from({ length: 16 }, (_, i) => i);
  const packed = patches.pack(latents, [1, 2, 2, 4]);
  expect(packed.shape).toEqual([1, 2, 8]);
  expect([...packed.data]).toEqual([0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15]);
  expect(patches.unpack(packed.data, [1, 2, 2, 4])).toEqual(latents);
});

test("tokens are numbered by row and column", () => {
  const { data, shape } = patchPositions({ width: 6, height: 4 });
  expect(shape).toEqual([6, 3]);
  expect([...data.subarray(3 * 4)]).toEqual([0, 1, 1, 0, 1, 2]);
});
