// Enlarging in tiles against PyTorch's and transformers' of the whole picture, on tiny networks of random weights.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { parse } from "../../../src/core/schema.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { upscale } from "../../../src/engine/pipelines/upscale.ts";
import { crop } from "../../../src/engine/tensor/crop.ts";
import { createCanvas, mirroredPart, tilesOf } from "../../../src/engine/tensor/tiles.ts";
import { loadUpscaler } from "../../../src/engine/upscaling/upscaler.ts";
import { runOnce } from "../support/load.ts";
import { apart, decode, openFamily, pictureOf, shown } from "../support/vision.ts";

setDefaultTimeout(60_000);

const pause = createPause();

const pipeline = upscale.of({});
const url = "https://example.org/picture.png";
const enlarge = (
  family: string,
  wishes: Record<string, unknown> = {},
  media: () => Promise<Uint8Array> = shown("small.png"),
) => runOnce(pipeline, { assets: openFamily(family), input: { image_url: url, ...wishes }, media });

/**
 * Without the right and lower edges, as far as a network of one block sees: Python's RRDBNet has zeros beyond them, a tile
 * the mirrored picture, as Swin2SR's processor does.
 */
const inner = (pixels: Pixels, scale: number) =>
  crop(pixels, { left: 0, top: 0, width: pixels.width - 20 * scale, height: pixels.height - 20 * scale });
const wanted = async (family: string, scale: number) => inner(await pictureOf(`${family}/enlarged.png`), scale);

const FACTORS = { esrgan: 4, swin2sr: 2 } as const;

for (const family of ["esrgan", "swin2sr"] as const)
  describe(family, () => {
    const scale = FACTORS[family];

    test("a picture of one tile is Python's within 1 of 255", async () => {
      const { output, files, units, steps } = await enlarge(family, { scale });
      expect(output.image).toMatchObject({ width: 90 * scale, height: 70 * scale, content_type: "image/png" });
      expect(output.timings.inference).toBeGreaterThan(0);
      const large = await decode(files.get("image.png"));
      expect(apart(inner(large, scale), await wanted(family, scale)).most).toBeLessThanOrEqual(1);
      expect(units.megapixels).toBeCloseTo((90 * 70 * scale ** 2) / 1e6, 6);
      expect(steps).toHaveLength(1);
    });

    test("in four tiles it is the same but for a little, with progress after each", async () => {
      const { files, steps } = await enlarge(family, { scale, tile: 64 });
      const progress = steps.slice(0, -1).map((step) => step.type === "progress" && [step.at, step.of]);
      expect(progress).toEqual([1, 2, 3, 4].map((at) => [at, 4]));
      const large = await decode(files.get("image.png"));
      const { most, mean } = apart(inner(large, scale), await wanted(family, scale));
      expect(most).toBeLessThanOrEqual(6);
      expect(mean).toBeLessThan(0.2);
    });
  });

test("tiles whose overlap holds all that the network looks at leave no trace at all", async () => {
  // An RRDBNet of one block sees 19 pixels around: a quarter of the overlap is dropped at each edge.
  const upscaler = await loadUpscaler(openFamily("esrgan"), { overlap: 80 });
  const small = await pictureOf("small.png");
  const wide = mirroredPart(small, { left: 0, top: 0, width: 180, height: 70 });
  const pictures = [];
  for (const tile of [96, 256]) {
    const wish = { tile, signal: new AbortController().signal };
    const steps = await Array.fromAsync(upscaler.enlarge(wide, wish));
    pictures.push({ tiles: steps.length, pixels: steps.at(-1)?.enlarged });
  }
  const [inTiles, whole] = pictures;
  expect([inTiles?.tiles, whole?.tiles]).toEqual([7, 1]);
  if (!inTiles?.pixels || !whole?.pixels) throw new Error("no pictures");
  expect(apart(inTiles.pixels, whole.pixels).most).toBeLessThanOrEqual(1);
});

test("a graph of one size sees tiles of that size, and says so to who wants others", async () => {
  const { output, files, log } = await enlarge("esrgan-fixed", { scale: 4, tile: 128 });
  expect(output.image).toMatchObject({ width: 360, height: 280 });
  expect(log).toEqual(["tile: the graph sees pieces of 64 x 64 and no others"]);
  const large = await decode(files.get("image.png"));
  expect(apart(inner(large, 4), await wanted("esrgan", 4)).mean).toBeLessThan(0.2);
});

describe("scale", () => {
  test("is what the network makes, resized", async () => {
    const { output, files } = await enlarge("esrgan", { scale: 2.5 });
    expect(output.image).toMatchObject({ width: 225, height: 175 });
    const { output: beyond } = await enlarge("swin2sr", { scale: 3 });
    expect(beyond.image).toMatchObject({ width: 270, height: 210 });
    expect(files.size).toBe(1);
  });

  test("goes from 1 to 8; other weights are refused by name", () => {
    const given = { image_url: url };
    expect(parse(pipeline.input, given)).toMatchObject({ scale: 2, tile: 0, model: "RealESRGAN_x4plus" });
    expect(() => parse(pipeline.input, { ...given, scale: 9 })).toThrow(/scale: .*less than or equal to 8/);
    const model = "RealESRGAN_x4plus_anime_6B";
    expect(() => parse(pipeline.input, { ...given, model })).toThrow(/model: .*"RealESRGAN_x4plus"/);
    expect(parse(upscale.of({ defaults: { model } }).input, given)).toMatchObject({ model });
  });

  test("that would come to too large a picture is refused before anything is computed", async () => {
    const large = { ...(await pictureOf("small.png")), width: 8000, height: 8000 };
    const upscaler = await loadUpscaler(openFamily("esrgan"));
    const steps = upscaler.enlarge(large, { tile: 64, signal: new AbortController().signal });
    const failure = await steps.next().catch((error) => error);
    expect(failure).toMatchObject({ problems: [{ loc: ["body", "image_url"], type: "image_too_large" }] });
    expect(failure.message).toBe("image_url: The image has 64000000 pixels; at most 4194304 are enlarged 4 times");
  });
});

test("transparency is enlarged too", async () => {
  const { data } = await pictureOf("small.png");
  const rgba = new Uint8Array(90 * 70 * 4);
  for (let i = 0; i < 90 * 70; i++) rgba.set([...data.subarray(i * 3, i * 3 + 3), i % 90 < 45 ? 255 : 0], i * 4);
  const { codec } = openFamily("esrgan");
  const png = await codec.encode({ data: rgba, width: 90, height: 70, channels: 4 }, "png");
  const { files } = await enlarge("esrgan", { scale: 4 }, async () => png);
  const large = await decode(files.get("image.png"));
  expect(large.channels).toBe(4);
  const alpha = (x: number) => large.data[(100 * 360 + x) * 4 + 3];
  expect([alpha(20), alpha(340)]).toEqual([255, 0]);
  expect(apart(inner(large, 4), await wanted("esrgan", 4)).most).toBeLessThanOrEqual(1);
});

test("a run that is given up ends after the tile that it is at", async () => {
  const controller = new AbortController();
  const upscaler = await loadUpscaler(openFamily("esrgan"));
  const steps = upscaler.enlarge(await pictureOf("small.png"), { tile: 64, signal: controller.signal });
  expect((await steps.next()).value).toEqual({ at: 1, of: 4 });
  controller.abort(new Error("given up"));
  expect(await steps.next().catch((error) => error.message)).toBe("given up");
});

describe("tiles", () => {
  const sizes = [
    [90, 70],
    [64, 64],
    [7, 300],
    [257, 129],
  ] as const;
  test.each(sizes)("of a picture of %p x %p cover it, and give it back unchanged", async (width, height) => {
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + Math.floor(i / 91)) % 256);
    const picture = { data, width, height, channels: 3 as const };
    const tile = { width: 64, height: 64 };
    const tiles = tilesOf(picture, tile, { overlap: 24, multiple: 8 });
    expect(tiles.every(({ left, top }) => left % 8 === 0 && top % 8 === 0)).toBe(true);
    const canvas = createCanvas({ picture, tile, channels: 3, factor: 1, overlap: 24, pause });
    for (const place of tiles)
      await canvas.add(place, Float32Array.from(mirroredPart(picture, { ...place, ...tile }).data));
    expect(await canvas.pixels()).toEqual(picture);
  });

  test("of different greys fade into one another: no step is larger than the ramp's", async () => {
    const picture = { width: 160, height: 40 };
    const tile = { width: 64, height: 40 };
    const tiles = tilesOf(picture, tile, { overlap: 32 });
    const canvas = createCanvas({ picture, tile, channels: 1, factor: 1, overlap: 32, pause });
    for (const [i, place] of tiles.entries())
      await canvas.add(place, new Float32Array(64 * 40).fill(i % 2 === 0 ? 0 : 160));
    const row = [...(await canvas.pixels()).data.subarray(0, 160)];
    expect(tiles).toHaveLength(4);
    expect([row[0], Math.max(...row)]).toEqual([0, 160]);
    expect(Math.max(...row.map((value, x) => Math.abs(value - (row[x - 1] ?? value))))).toBeLessThanOrEqual(12);
  });
});
