import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { ForecourtError } from "../../../src/core/errors.ts";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import cmyk from "./cmyk.json";

const codec = createCodec();
const smooth: Pixels = {
  data: Uint8Array.from({ length: 32 * 16 * 3 }, (_, i) => Math.floor(i / 6) % 200),
  width: 32,
  height: 16,
  channels: 3,
};

test("printing inks without a profile are the colours that Pillow makes of them", async () => {
  const { width, channels, data } = await codec.decode(readFileSync(join(import.meta.dir, "cmyk.jpg")));
  expect(channels).toBe(3);
  for (const [i, colour] of cmyk.colours.entries()) {
    const at = ((cmyk.side / 2) * width + i * cmyk.side + cmyk.side / 2) * 3;
    for (const [c, value] of colour.entries()) expect(Math.abs((data[at + c] ?? NaN) - value)).toBeLessThanOrEqual(1);
  }
});

test("PNG brings every pixel back", async () => {
  expect(await codec.decode(await codec.encode(smooth, "png"))).toEqual(smooth);
});

for (const format of ["jpeg", "webp"] as const) {
  test(`${format} brings a picture of the same size back, nearly unchanged`, async () => {
    const { data, ...rest } = await codec.decode(await codec.encode(smooth, format));
    expect(rest).toEqual({ width: 32, height: 16, channels: 3 });
    const mean = data.reduce((sum, value, i) => sum + Math.abs(value - (smooth.data[i] ?? 0)), 0) / data.length;
    expect(mean).toBeLessThan(8);
  });
}

test("transparency is kept, grey becomes colour, and the orientation of a camera is applied", async () => {
  const clear: Pixels = { data: new Uint8Array(16).fill(100), width: 2, height: 2, channels: 4 };
  expect(await codec.decode(await codec.encode(clear, "png"))).toEqual(clear);
  const grey = await sharp(new Uint8Array([10, 20]), { raw: { width: 2, height: 1, channels: 1 } })
    .png()
    .toBuffer();
  expect(await codec.decode(grey)).toEqual({
    data: Uint8Array.of(10, 10, 10, 20, 20, 20),
    width: 2,
    height: 1,
    channels: 3,
  });
  const turned = await sharp(smooth.data, { raw: { width: 32, height: 16, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  expect(await codec.decode(turned)).toMatchObject({ width: 16, height: 32 });
});

test("GIF, AVIF, TIFF and deep or printed colours are read as 8-bit RGB", async () => {
  const red = sharp({ create: { width: 8, height: 8, channels: 3, background: "#c80000" } });
  for (const bytes of [
    await red.clone().gif().toBuffer(),
    await red.clone().avif({ lossless: true }).toBuffer(),
    await red.clone().tiff({ compression: "none" }).toBuffer(),
    await red.clone().toColourspace("rgb16").png().toBuffer(),
    await red.clone().toColourspace("cmyk").jpeg().toBuffer(),
  ]) {
    const { data, width, height } = await codec.decode(bytes);
    expect([width, height]).toEqual([8, 8]);
    expect(data[0]).toBeWithin(170, 240);
    expect(data[1]).toBeWithin(0, 40);
  }
});

test.each([
  ["SVG", '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'],
  ["SVG", '<?xml version="1.0"?>\n<!-- drawn by hand -->\n<svg width="4" height="4"/>'],
  ["a web page", "\n<!DOCTYPE html><html><body><svg></svg>not found</body></html>"],
  ["PDF", "%PDF-1.7"],
  ["BMP", "BM and more"],
  ["HEIC", "\0\0\0\x18ftypheic\0\0\0\0mif1heic"],
  ["a video", "\0\0\0\x18ftypisom\0\0\0\0isommp42"],
  ["JPEG XL", "\0\0\0\x0cJXL \r\n"],
])("%s is refused by its name, with what is read instead", async (name, text) => {
  expect(await problemOf(new TextEncoder().encode(text))).toMatchObject({
    type: "unsupported_image_format",
    msg: `The file is ${name}, which is not read as an image. Please provide one of jpeg, png, webp, gif, avif, tiff`,
    ctx: { supported_formats: ["jpeg", "png", "webp", "gif", "avif", "tiff"] },
  });
});

test("a picture that is read and was cut off is not one of another format", async () => {
  const avif = await sharp({ create: { width: 64, height: 64, channels: 3, background: "#c80000" } })
    .avif()
    .toBuffer();
  expect(await problemOf(avif.subarray(0, avif.length - 20))).toMatchObject({ type: "image_load_error" });
});

async function problemOf(bytes: Uint8Array) {
  const error = await codec.decode(bytes).catch((thrown) => thrown);
  if (!(error instanceof ForecourtError)) throw new Error("expected a ForecourtError");
  expect(error.code).toBe("invalid_input");
  return error.problems?.[0];
}

test("what is not a picture, is cut off or is too large is an image_load_error", async () => {
  const whole = await codec.encode(smooth, "png");
  expect(await problemOf(new TextEncoder().encode("no picture"))).toMatchObject({ type: "image_load_error" });
  expect(await problemOf(new Uint8Array())).toMatchObject({ type: "image_load_error" });
  expect(await problemOf(whole.subarray(0, whole.length / 2))).toMatchObject({ type: "image_load_error" });
  const huge = claimSize(whole, 8193);
  expect(await problemOf(huge)).toMatchObject({
    type: "image_load_error",
    msg: expect.stringContaining("67108864 pixels"),
  });
});

/** The same PNG with another width and height in its header (bytes 16 to 23, checksum at 29). */
function claimSize(png: Uint8Array, side: number): Uint8Array {
  const changed = new Uint8Array(png);
  const view = new DataView(changed.buffer);
  view.setUint32(16, side);
  view.setUint32(20, side);
  view.setUint32(29, Bun.hash.crc32(changed.subarray(12, 29)));
  return changed;
}
