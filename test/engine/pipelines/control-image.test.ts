import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { depthPicture } from "../../../src/engine/depth/depth-map.ts";
import { loadDepthModel } from "../../../src/engine/depth/depth-model.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { controlImage } from "../../../src/engine/pipelines/control-image.ts";
import { estimatePose } from "../../../src/engine/pipelines/estimate-pose.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { canny } from "../../../src/engine/vision/canny.ts";
import { runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";
import { openFamily } from "../support/vision.ts";

setDefaultTimeout(60_000);

const families = join(import.meta.dir, "../../reference/families");
const assets = openOverlay([join(families, "sd-control"), join(families, "sd")]);
const { codec } = assets;
const picture = new Uint8Array(readFileSync(join(families, "reference-1.png")));
const input = {
  prompt: "a big red circle",
  control_image_url: "https://example.com/a.png",
  num_inference_steps: 2,
  seed: 3,
  image_size: { width: 64, height: 64 },
  output_format: "png",
};
const draw = async (more: Record<string, unknown>, media: Uint8Array = picture) => {
  const { files } = await runOnce(controlImage, { assets, media: async () => media, input: { ...input, ...more } });
  return Buffer.from(files.get("image-1.png") ?? []).toString("base64");
};

test("the preprocessor's edges are what a picture of those edges is", async () => {
  const pixels = await codec.decode(picture);
  const edges = await codec.encode(await canny(pixels, { low: 100, high: 200 }, createPause()), "png");
  const found = await draw({ preprocessor: "canny" });
  expect(found).toBe(await draw({}, edges));
  expect(found).not.toBe(await draw({}));
});

test("a scale of 0 and a span that is over at once control nothing", async () => {
  const free = await draw({ controlnet_conditioning_scale: 0 });
  expect(free).toBe(await draw({ end_percentage: 0 }));
  expect(free).not.toBe(await draw({}));
});

test("a UNet without a ControlNet, and one that waits for it, are refused where they do not belong", async () => {
  const plain = openOverlay([join(families, "sd")]);
  await expect(controlImage.load(plain)).rejects.toMatchObject({ code: "misconfigured" });
  await expect(textToImage.load(assets)).rejects.toMatchObject({ code: "misconfigured" });
});

test("a mask without the picture that it is of is refused by the picture's field", async () => {
  const mask = { mask_url: "https://example.com/mask.png" };
  const refused = { code: "invalid_input", problems: [{ loc: ["body", "image_url"], type: "missing" }] };
  await expect(draw(mask)).rejects.toMatchObject(refused);
});

/** What is drawn with a model in a folder of the weights, for the preprocessor of its name. */
async function drawWith(preprocessor: "depth" | "pose", model: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "forecourt-control-"));
  await symlink(join(families, "../vision", model), join(folder, preprocessor));
  const { files } = await runOnce(controlImage, {
    assets: openOverlay([folder, join(families, "sd-control"), join(families, "sd")]),
    media: async () => picture,
    input: { ...input, preprocessor },
  });
  await rm(folder, { recursive: true });
  return Buffer.from(files.get("image-1.png") ?? []).toString("base64");
}

test("the preprocessor's depths are what a picture of those depths is, by the model in the folder depth", async () => {
  const model = await loadDepthModel(openFamily("depth/relative"));
  const map = await model.estimate(await codec.decode(picture), new AbortController().signal);
  const depths = await depthPicture(map, createPause());
  const found = await drawWith("depth", "depth/relative");
  expect(found).toBe(await draw({}, await codec.encode(depths, "png")));
  expect(found).not.toBe(await draw({}));
});

test("the preprocessor's skeletons are those of estimate-pose, by the model in the folder pose", async () => {
  const { files } = await runOnce(estimatePose, {
    assets: openFamily("pose/vitpose"),
    media: async () => picture,
    input: { image_url: "https://example.org/picture.png" },
  });
  const skeletons = files.get("image.png") ?? new Uint8Array();
  expect((await codec.decode(skeletons)).data.some((value) => value > 0)).toBe(true);
  const found = await drawWith("pose", "pose/vitpose");
  expect(found).toBe(await draw({}, skeletons));
  expect(found).not.toBe(await draw({}));
});

test.each(["depth", "pose"])(
  "preprocessor %s is refused by name where the model has no model for it",
  async (preprocessor) => {
    const msg = expect.stringContaining(`in its folder "${preprocessor}"`);
    const refused = { code: "invalid_input", problems: [{ loc: ["body", "preprocessor"], msg }] };
    await expect(draw({ preprocessor })).rejects.toMatchObject(refused);
  },
);
