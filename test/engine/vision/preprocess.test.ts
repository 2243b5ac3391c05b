import { expect, test } from "bun:test";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { preprocess } from "../../../src/engine/vision/preprocess.ts";

const columns = (width: number, height: number): Pixels => ({
  width,
  height,
  channels: 3,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.floor(i / 3) % width),
});
const plain = { do_rescale: false, do_normalize: false, resample: 0 };

test("the shorter edge becomes the wanted size and the middle is cut out", async () => {
  const { planes, width, height } = await preprocess(columns(8, 2), {
    ...plain,
    size: { shortest_edge: 2 },
    crop_size: 2,
  });
  expect([width, height]).toEqual([2, 2]);
  expect(planes).toEqual(Float32Array.from({ length: 12 }, (_, i) => 3 + (i % 2)));
});

test("a picture smaller than the crop gets black edges", async () => {
  const { planes } = await preprocess(columns(2, 1), {
    ...plain,
    do_resize: false,
    crop_size: { width: 4, height: 1 },
  });
  expect(planes.subarray(0, 4)).toEqual(Float32Array.of(0, 0, 1, 0));
});

test("values are rescaled and normalised for each colour", async () => {
  const white = { data: Uint8Array.of(255, 255, 255), width: 1, height: 1, channels: 3 } as const;
  const config = { do_resize: false, do_center_crop: false, image_mean: [0, 0.5, 1], image_std: [1, 0.5, 2] };
  expect((await preprocess(white, config)).planes).toEqual(Float32Array.of(1, 1, 0));
});

test("a kernel that is not known is refused", async () => {
  await expect(preprocess(columns(2, 2), { resample: 5 })).rejects.toThrow("resample = 5 is not supported");
});

test("without a word on cropping CLIP's pictures are cropped to 224, SigLIP's and ViT's are not", async () => {
  const size = { height: 2, width: 300 };
  const widthFor = async (type: object) => (await preprocess(columns(8, 2), { ...plain, ...type, size })).width;
  expect(await widthFor({})).toBe(224);
  expect(await widthFor({ image_processor_type: "CLIPImageProcessor" })).toBe(224);
  expect(await widthFor({ feature_extractor_type: "CLIPFeatureExtractor" })).toBe(224);
  expect(await widthFor({ image_processor_type: "SiglipImageProcessor" })).toBe(300);
  expect(await widthFor({ image_processor_type: "ViTImageProcessor" })).toBe(300);
});
