// Things taken out of pictures by a tiny LaMa of random weights, against PyTorch and Pillow.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Graph, Pixels } from "../../../src/core/pipeline.ts";
import { expanded } from "../../../src/engine/erasing/expand.ts";
import { loadLama } from "../../../src/engine/erasing/lama.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { erase } from "../../../src/engine/pipelines/erase.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import type { Mask } from "../../../src/engine/segmentation/runs.ts";
import { crop } from "../../../src/engine/tensor/crop.ts";
import { runOnce } from "../support/load.ts";
import { apart, decode, fileOf, openFamily, pictureOf } from "../support/vision.ts";

setDefaultTimeout(60_000);

const codec = createCodec();
const [PICTURE, MASK] = ["https://example.org/picture.png", "https://example.org/mask.png"];

type Shown = { picture?: Uint8Array; mask?: Uint8Array };

const take = ({ picture = fileOf("picture.png"), mask }: Shown, wishes: Record<string, unknown> = {}) =>
  runOnce(erase, {
    assets: openFamily("lama"),
    input: { image_url: PICTURE, ...(mask && { mask_url: MASK }), ...wishes },
    media: async (url) => (url === MASK && mask ? mask : picture),
  });

const png = (pixels: Pixels) => codec.encode(pixels, "png");
const corner = async () => png(crop(await pictureOf("picture.png"), { left: 0, top: 0, width: 50, height: 40 }));
const white = (pixels: Pixels, at: number) => pixels.data[at * pixels.channels] === 255;

/** Of the pixels where the mask is white, or is not: how many differ. */
function changed(a: Pixels, b: Pixels, mask: Pixels, isMasked: boolean): number {
  let count = 0;
  for (let at = 0; at < a.width * a.height; at++) {
    if (white(mask, at) !== isMasked) continue;
    const differs = [0, 1, 2].some((c) => a.data[at * a.channels + c] !== b.data[at * b.channels + c]);
    if (differs) count++;
  }
  return count;
}

describe("a gap is filled as by Python, and nothing else changes", () => {
  test.each([
    ["two", "gaps far from each other, and neighbours in one part"],
    ["large", "a gap for which the picture is seen smaller"],
    ["corner", "a picture that is smaller than what the graph sees"],
  ])("%s: %s", async (name) => {
    const picture = name === "corner" ? await corner() : fileOf("picture.png");
    const { files, output, units } = await take({ picture, mask: fileOf(`lama/${name}-mask.png`) });
    const filled = await decode(files.get("image.png"));
    const [before, mask] = [await decode(picture), await pictureOf(`lama/${name}-mask.png`)];
    // A value that lies between two bytes may fall to either.
    expect(apart(filled, await pictureOf(`lama/${name}.png`)).most).toBeLessThanOrEqual(1);
    expect(changed(filled, before, mask, false)).toBe(0);
    expect(changed(filled, before, mask, true)).toBeGreaterThan(100);
    expect(output.images).toEqual([output.image]);
    expect(units).toEqual({ requests: 1, images: 1 });
  });

  test("each part of the picture is a step", async () => {
    const { steps } = await take({ mask: fileOf("lama/two-mask.png") });
    expect(steps.slice(0, -1)).toEqual([
      { type: "progress", at: 1, of: 2 },
      { type: "progress", at: 2, of: 2 },
    ]);
  });
});

test("a wider mask is SciPy's dilation, and takes more away", async () => {
  const asMask = (pixels: Pixels): Mask => ({
    ...pixels,
    data: Uint8Array.from({ length: pixels.width * pixels.height }, (_, at) => Number(white(pixels, at))),
  });
  const [narrow, wide] = [await pictureOf("lama/two-mask.png"), await pictureOf("lama/two-wide.png")];
  expect((await expanded(asMask(narrow), 5, createPause())).data).toEqual(asMask(wide).data);
  const { files } = await take({ mask: fileOf("lama/two-mask.png") }, { mask_expansion: 5 });
  const [filled, before] = [await decode(files.get("image.png")), await pictureOf("picture.png")];
  expect(changed(filled, before, wide, false)).toBe(0);
  expect(changed(filled, before, narrow, false)).toBeGreaterThan(100);
});

test("a mask of another size fits, and one that is transparent where to take away", async () => {
  const given = await pictureOf("lama/large-mask.png");
  const usual = await decode((await take({ mask: await png(given) })).files.get("image.png"));
  const data = new Uint8Array(given.width * given.height * 4).fill(255);
  for (let at = 0; at < given.width * given.height; at++) if (white(given, at)) data[at * 4 + 3] = 0;
  const holed = await png({ ...given, data, channels: 4 });
  expect(apart(await decode((await take({ mask: holed })).files.get("image.png")), usual).most).toBe(0);
  const half: Pixels = { data: new Uint8Array(75 * 55), width: 75, height: 55, channels: 1 };
  for (let y = 11; y < 40; y++) half.data.fill(255, y * 75 + 21, y * 75 + 59);
  const { files } = await take({ mask: await png(half) });
  expect(changed(await decode(files.get("image.png")), await pictureOf("picture.png"), given, true)).toBeGreaterThan(
    3000,
  );
});

describe("boxes in shares of the picture", () => {
  // The gap of large-mask.png.
  const box = { x_min: 43 / 150, y_min: 21 / 110, x_max: 118 / 150, y_max: 80 / 110 };

  test("are a mask, alone or beside one", async () => {
    const boxed = await decode((await take({}, { box_prompts: [box] })).files.get("image.png"));
    expect(apart(boxed, await pictureOf("lama/large.png")).most).toBeLessThanOrEqual(1);
    const both = await take({ mask: fileOf("lama/two-mask.png") }, { box_prompts: [box] });
    const [filled, before] = [await decode(both.files.get("image.png")), await pictureOf("picture.png")];
    for (const name of ["large", "two"])
      expect(changed(filled, before, await pictureOf(`lama/${name}-mask.png`), true)).toBeGreaterThan(100);
  });

  test.each([
    [[], "mask_url", "give a mask, or boxes"],
    [[{ ...box, x_max: box.x_min - 0.1 }], "box_prompts", "nothing to take away"],
    [[{ x_min: 0, y_min: 0, x_max: 1, y_max: 1 }], "box_prompts", "covers the whole picture"],
  ])("%j are refused, naming %s", async (boxes, field, why) => {
    const failure = await take({}, { box_prompts: boxes }).catch((error) => error);
    expect(failure).toMatchObject({ code: "invalid_input", message: expect.stringContaining(why) });
    expect(failure.problems[0].loc).toEqual(["body", field]);
  });
});

describe("a transparent picture", () => {
  const transparent = async () => {
    const { data, width, height } = await pictureOf("picture.png");
    const pixels: Pixels = { data: new Uint8Array(width * height * 4), width, height, channels: 4 };
    for (let at = 0; at < width * height; at++) {
      pixels.data.set(data.subarray(at * 3, at * 3 + 3), at * 4);
      pixels.data[at * 4 + 3] = at % width < 75 ? 128 : 255;
    }
    return pixels;
  };

  test("keeps its transparency where that is wished for", async () => {
    const before = await transparent();
    const shown = { picture: await png(before), mask: fileOf("lama/two-mask.png") };
    const kept = await decode((await take(shown, { preserve_alpha: true })).files.get("image.png"));
    expect(kept.channels).toBe(4);
    expect(kept.data.every((value, at) => at % 4 !== 3 || value === before.data[at])).toBe(true);
    expect(apart(kept, await pictureOf("lama/two.png")).most).toBeLessThanOrEqual(1);
    const dropped = await decode((await take(shown)).files.get("image.png"));
    expect(dropped.channels).toBe(3);
    expect(apart(dropped, await pictureOf("lama/two.png")).most).toBeLessThanOrEqual(1);
  });
});

test.each([
  [0, "nothing to take away"],
  [255, "covers the whole picture"],
])("a mask that is %d everywhere is refused", async (value, why) => {
  const mask = await png({ data: new Uint8Array(150 * 110).fill(value), width: 150, height: 110, channels: 1 });
  const failure = await take({ mask }).catch((error) => error);
  expect(failure).toMatchObject({ code: "invalid_input" });
  expect(failure.message).toContain(why);
  expect(failure.problems[0].loc).toEqual(["body", "mask_url"]);
});

/** Gives back what it is shown, red in the gap: as bytes or as shares. */
function redGraph(scale: number): Graph {
  const port = (name: string, channels: number) => ({ name, dtype: "float32" as const, shape: [1, channels, 64, 64] });
  return {
    inputs: [port("image", 3), port("mask", 1)],
    outputs: [port("output", 3)],
    async run({ image, mask }) {
      const area = 64 * 64;
      const value = (at: number) => (mask?.data[at % area] ? Number(at < area) : Number(image?.data[at] ?? 0));
      const data = Float32Array.from({ length: 3 * area }, (_, at) => scale * value(at));
      return { output: { dtype: "float32", shape: [1, 3, 64, 64], data } };
    },
  };
}

test.each([
  [255, 200],
  [1, 200],
  [255, 1],
  [1, 1],
])("a graph that ends with values up to %d is understood, in a picture of %d", async (scale, value) => {
  const lama = await loadLama({ ...openFamily("lama"), graph: async () => redGraph(scale) });
  const picture: Pixels = { data: new Uint8Array(100 * 80 * 3).fill(value), width: 100, height: 80, channels: 3 };
  const mask = { data: new Uint8Array(100 * 80), width: 100, height: 80 };
  mask.data[40 * 100 + 50] = 1;
  const steps = lama.fill(picture, mask, createPause());
  await steps.next();
  const { value: filled } = await steps.next();
  expect((filled as Pixels).data.slice((40 * 100 + 50) * 3, (40 * 100 + 51) * 3)).toEqual(Uint8Array.of(255, 0, 0));
  expect(picture.data.every((each) => each === value)).toBe(true);
});
