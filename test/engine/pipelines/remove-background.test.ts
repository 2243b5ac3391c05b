// Background removal on tiny graphs of random weights against Python: Pillow, NumPy and SciPy.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { parse } from "../../../src/core/schema.ts";
import { estimateForeground } from "../../../src/engine/matting/foreground.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { removeBackground } from "../../../src/engine/pipelines/remove-background.ts";
import { runOnce } from "../support/load.ts";
import { apart, decode, openFamily, pictureOf, shown } from "../support/vision.ts";

setDefaultTimeout(60_000);

const pipeline = removeBackground.of({});
const cut = (family: string, wishes: Record<string, unknown> = {}) =>
  runOnce(pipeline, {
    assets: openFamily(family),
    input: { image_url: "https://example.org/picture.png", ...wishes },
    media: shown("picture.png"),
  });

for (const family of ["birefnet", "modnet"])
  describe(family, () => {
    test("the mask is Python's", async () => {
      const { output, files, units } = await cut(family, { output_mask: true });
      expect(output.mask_image).toMatchObject({ width: 150, height: 110, content_type: "image/png" });
      const mask = await decode(files.get("mask.png"));
      expect(apart(mask, await pictureOf(`${family}/mask.png`)).most).toBeLessThanOrEqual(1);
      expect(units).toEqual({ requests: 1, images: 1 });
    });

    test("the cut-out has the mask as its transparency, and the subject's own colours", async () => {
      const { output, files } = await cut(family);
      expect(output).not.toHaveProperty("mask_image");
      const image = await decode(files.get("image.png"));
      expect(image.channels).toBe(4);
      const mask = await pictureOf(`${family}/mask.png`);
      const differences = mask.data
        .filter((_, i) => i % 3 === 0)
        .map((a, i) => Math.abs(a - (image.data[i * 4 + 3] ?? 0)));
      expect(Math.max(...differences)).toBeLessThanOrEqual(1);
      const { most, mean } = apart(image, await pictureOf(`${family}/foreground.png`));
      // A mask that differs by 1 moves colours where little of the subject is left.
      expect(most).toBeLessThanOrEqual(3);
      expect(mean).toBeLessThan(0.1);
    });
  });

test("without refinement the colours are the picture's own, and refinement takes the ground out of the edges", async () => {
  const picture = await pictureOf("picture.png");
  const plain = await decode((await cut("birefnet", { refine_foreground: false })).files.get("image.png"));
  expect(apart(plain, picture).most).toBe(0);
  const refined = await decode((await cut("birefnet")).files.get("image.png"));
  const ofEdges = (pixels: typeof plain) =>
    Array.from({ length: 150 * 110 }, (_, i) => i)
      .filter((i) => (pixels.data[i * 4 + 3] ?? 0) > 40 && (pixels.data[i * 4 + 3] ?? 0) < 150)
      .map((i) => (pixels.data[i * 4] ?? 0) - (picture.data[i * 3] ?? 0));
  const changes = ofEdges(refined);
  expect(changes.length).toBeGreaterThan(100);
  // The subject is redder than the ground: its estimated colour is, too.
  expect(changes.reduce((sum, each) => sum + each, 0) / changes.length).toBeGreaterThan(5);
});

test("the mask alone, and only the part that shows", async () => {
  const masked = await cut("modnet", { mask_only: true, output_format: "webp" });
  expect(masked.output.image).toMatchObject({ file_name: "image.webp", content_type: "image/webp", width: 150 });
  const { files } = await cut("birefnet", { crop_to_bbox: true, output_mask: true });
  const [image, mask] = [await decode(files.get("image.png")), await decode(files.get("mask.png"))];
  expect([image.width, image.height]).toEqual([mask.width, mask.height]);
  expect(image.width).toBeLessThan(150);
  const first = Array.from({ length: mask.width }, (_, x) => mask.data[x * mask.channels] ?? 0);
  expect(Math.max(...first)).toBeGreaterThanOrEqual(13);
});

test("GIF is a picture too, and data URIs write no file", async () => {
  const { output, files } = await cut("modnet", { output_format: "gif", sync_mode: true });
  expect(output.image.url).toStartWith("data:image/gif;base64,R0lGOD");
  expect(files.size).toBe(0);
});

test("a graph of one size refuses others by name; one of any size takes them", async () => {
  const failure = await cut("birefnet", { operating_resolution: "2048x2048" }).catch((error) => error);
  expect(failure).toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "operating_resolution"], msg: "This model sees pictures at 64x64 only" }],
  });
  const { output } = await cut("modnet", { operating_resolution: "1024x1024", mask_only: true });
  expect(output.image).toMatchObject({ width: 150, height: 110 });
});

test("a model is one of fal's variants, by its file, and refuses to pass for another", () => {
  const file = (changes: object) => ({
    file: "models/cut.yaml",
    text: JSON.stringify({
      ...{
        id: "acme/cut",
        title: "Cut",
        description: "Cuts.",
        category: "image-to-image",
        pipeline: "remove-background",
      },
      ...{ licence: { id: "MIT", commercial: true }, source: { path: "/nowhere" }, memory: { weights: 1, working: 1 } },
      ...{ price: { unit: "image", amount: 0, currency: "USD" }, ...changes },
    }),
  });
  const inputOf = (changes: object) => {
    const [entry] = createCatalog({ builtIn: [file(changes)] }).list();
    if (!entry) throw new Error("no model");
    return entry.input;
  };
  const given = { image_url: "https://example.org/p.png" };
  const portrait = inputOf({ defaults: { model: "Portrait" }, bounds: { operating_resolution: { maximum: 1024 } } });
  expect(parse(portrait, given)).toMatchObject({ model: "Portrait", refine_foreground: true, output_format: "png" });
  expect(() => parse(portrait, { ...given, model: "Matting" })).toThrow(/model: Input should be one of "Portrait"/);
  expect(() => parse(portrait, { ...given, operating_resolution: "2048x2048" })).toThrow(/one of "1024x1024"/);
  expect(parse(inputOf({}), given)).toMatchObject({ model: "General Use (Light)" });
});

test("colours of a tall picture, computed band by band, are those of the whole", async () => {
  const [picture, mask] = [await pictureOf("picture.png"), await pictureOf("birefnet/mask.png")];
  const alpha = { ...mask, channels: 1 as const, data: mask.data.filter((_, i) => i % 3 === 0) };
  const pause = createPause(undefined);
  const whole = await estimateForeground(picture, alpha, { pause });
  expect(apart(await estimateForeground(picture, alpha, { pause, bandRows: 20 }), whole).most).toBe(0);
  expect(apart(whole, await pictureOf("birefnet/foreground.png")).most).toBeLessThanOrEqual(1);
});
