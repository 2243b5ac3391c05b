import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { imageToImage } from "../../../src/engine/pipelines/image-to-image.ts";
import { inpaint } from "../../../src/engine/pipelines/inpaint.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";

setDefaultTimeout(60_000);

const FAMILIES = join(import.meta.dir, "../../reference/families");
/** Trained, as it says, for 32 x 32 pixels; draws multiples of 8. */
const assets = openOverlay([join(FAMILIES, "sd")]);
const picture = new Uint8Array(readFileSync(join(FAMILIES, "picture.png")));
const URL = "https://example.com/picture.png";

const grey = async (value: number) =>
  await assets.codec.encode({ data: new Uint8Array(64).fill(value), width: 8, height: 8, channels: 1 }, "png");

const redraw = (input: Record<string, unknown>, bytes: Uint8Array = picture) =>
  runOnce(imageToImage, {
    assets,
    input: { image_url: URL, prompt: "a", seed: 1, num_inference_steps: 4, output_format: "png", ...input },
    media: async () => bytes,
  });

describe("image-to-image", () => {
  test("keeps the picture's shape, within the area that the model was trained for, and takes a share of the steps", async () => {
    const { output, steps, units } = await redraw({ strength: 0.5, scheduler: "DDIM" });
    expect(output).toMatchObject({ seed: 1, images: [{ width: 40, height: 24, file_name: "image-1.png" }] });
    expect(steps.slice(0, -1)).toEqual([1, 2].map((at) => ({ type: "progress", at, of: 2 })));
    expect(units).toMatchObject({ images: 1, steps: 2 });
  });

  test("draws at the size that is asked for", async () => {
    const { output } = await redraw({ image_size: { width: 64, height: 70 }, strength: 0.3 });
    expect(output.images[0]).toMatchObject({ width: 64, height: 72 });
  });

  test("takes one step however small the strength", async () => {
    const { steps } = await redraw({ strength: 0.01 });
    expect(steps.map(({ type }) => type)).toEqual(["progress", "output"]);
  });

  test("begins with the picture: another one gives another result", async () => {
    const other = await redraw({ strength: 0.5 }, await grey(40));
    expect(other.files.get("image-1.png")).not.toEqual((await redraw({ strength: 0.5 })).files.get("image-1.png"));
  });

  test("with a mask it draws that part alone, as inpaint does", async () => {
    const mask = new Uint8Array(readFileSync(join(FAMILIES, "mask.png")));
    const input = { image_url: URL, mask_url: "mask", prompt: "a", seed: 1, num_inference_steps: 4, strength: 0.6 };
    const media = async (url: string) => (url === "mask" ? mask : picture);
    const [masked, painted] = [
      await runOnce(imageToImage, { assets, input, media }),
      await runOnce(inpaint, { assets, input, media }),
    ];
    expect(masked.files).toEqual(painted.files);
    const whole = await runOnce(imageToImage, { assets, input: { ...input, mask_url: undefined }, media });
    expect(whole.files).not.toEqual(masked.files);
  });

  test("of a model of few steps a small strength takes as many steps as its part of the schedule has", async () => {
    const lcm = openOverlay([join(FAMILIES, "lcm"), join(FAMILIES, "sd")]);
    const input = { image_url: URL, prompt: "a", seed: 1, num_inference_steps: 8 };
    const media = async () => picture;
    for (const [strength, steps] of [
      [0.01, 1],
      [0.05, 2],
      [0.5, 8],
    ] as const) {
      const { units } = await runOnce(imageToImage, { assets: lcm, input: { ...input, strength }, media });
      expect(units).toMatchObject({ images: 1, steps });
    }
  });

  test("names the field of a file that is no picture", async () => {
    await expect(redraw({}, new Uint8Array([1, 2, 3]))).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "image_url"], type: "image_load_error" }],
    });
  });

  test("refuses what the model cannot do, naming the field", async () => {
    await expect(redraw({ clip_skip: 10 })).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "clip_skip"] }],
    });
  });

  test("a repository without an encoder is refused when it is loaded", async () => {
    const tiny = openFolder(join(import.meta.dir, "../tiny/optimum"));
    await expect(imageToImage.load(tiny)).rejects.toMatchObject({ code: "weights_missing" });
  });
});

describe("inpaint", () => {
  const paint = async (mask: Uint8Array, input: Record<string, unknown> = {}) => {
    const { files } = await runOnce(inpaint, {
      assets,
      input: {
        image_url: URL,
        mask_url: `${URL}?mask`,
        prompt: "a",
        seed: 1,
        num_inference_steps: 4,
        output_format: "png",
        ...input,
      },
      media: async (url) => (url.endsWith("mask") ? mask : picture),
    });
    return files.get("image-1.png");
  };

  test("what is black in the mask stays, whatever the prompt says", async () => {
    const black = await grey(0);
    expect(await paint(black, { prompt: "b" })).toEqual((await paint(black)) ?? new Uint8Array());
  });

  test("what is white in the mask follows the prompt", async () => {
    const white = await grey(255);
    expect(await paint(white, { prompt: "b" })).not.toEqual((await paint(white)) ?? new Uint8Array());
  });

  test("a model that sees the mask is for this pipeline only", async () => {
    const sees = openOverlay([join(FAMILIES, "sd-inpaint"), join(FAMILIES, "sd")]);
    for (const pipeline of [textToImage, imageToImage]) {
      await expect(pipeline.load(sees)).rejects.toMatchObject({
        code: "misconfigured",
        message: expect.stringContaining("inpaint"),
      });
    }
    await expect(inpaint.load(sees)).resolves.toBeFunction();
  });
});
