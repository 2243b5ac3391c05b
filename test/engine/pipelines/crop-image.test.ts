import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { cropImage } from "../../../src/engine/pipelines/crop-image.ts";
import { openFolder, runOnce } from "../support/load.ts";

const assets = openFolder(join(import.meta.dir, "../tiny/clip"));

/** Each pixel tells where it is: red is its column, green its row. */
const WIDTH = 9;
const HEIGHT = 6;
const located: Pixels = {
  ...{ width: WIDTH, height: HEIGHT, channels: 3 },
  data: Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    return [pixel % WIDTH, Math.floor(pixel / WIDTH), 0][at % 3] ?? 0;
  }),
};

async function cropped(percents: Record<string, number>) {
  const input = { image_url: "https://example.com/p.png", sync_mode: true, ...percents };
  const { output } = await runOnce(cropImage, { assets, input, media: () => assets.codec.encode(located, "png") });
  const bytes = Buffer.from(output.image.url.split(",")[1] ?? "", "base64");
  const { width, height, data } = await assets.codec.decode(bytes);
  expect([output.image.width, output.image.height]).toEqual([width, height]);
  return { left: data[0], top: data[1], width, height };
}

test("a part is cut by percentages of the sides, to the nearest pixel", async () => {
  expect(await cropped({})).toEqual({ left: 0, top: 0, width: 9, height: 6 });
  const third = 33.333333;
  expect(await cropped({ x_percent: third, width_percent: third, height_percent: third })).toEqual({
    ...{ left: 3, top: 0, width: 3, height: 2 },
  });
  expect(await cropped({ x_percent: 66.67, y_percent: 66.67, width_percent: 33.33, height_percent: 33.33 })).toEqual({
    ...{ left: 6, top: 4, width: 3, height: 2 },
  });
});

test("a part never is empty and never goes beyond the edge", async () => {
  expect(await cropped({ x_percent: 100, width_percent: 100, height_percent: 0.1 })).toEqual({
    ...{ left: 8, top: 0, width: 1, height: 1 },
  });
});
