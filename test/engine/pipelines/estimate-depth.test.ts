// Depth on tiny models of random weights against transformers.
import { expect, setDefaultTimeout, test } from "bun:test";
import { type DepthUnit, depthPicture } from "../../../src/engine/depth/depth-map.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { estimateDepth } from "../../../src/engine/pipelines/estimate-depth.ts";
import { runOnce } from "../support/load.ts";
import { apart, casesOf, decode, openFamily, pictureOf, shown } from "../support/vision.ts";

setDefaultTimeout(120_000);

type Case = { minimum: number; maximum: number; metres: boolean };
const cases = casesOf<Record<string, Case>>("depth");

const estimate = (name: string, wishes: Record<string, unknown> = {}) =>
  runOnce(estimateDepth, {
    assets: openFamily(`depth/${name}`),
    input: { image_url: "https://example.org/picture.png", ...wishes },
    media: shown("picture.png"),
  });

test.each(Object.keys(cases))("%s: the picture and its range are transformers'", async (name) => {
  const { minimum, maximum, metres } = cases[name] ?? { minimum: NaN, maximum: NaN, metres: false };
  const { output, files, units } = await estimate(name);
  expect(output.image).toMatchObject({ width: 150, height: 110, content_type: "image/png" });
  expect(output.depth.unit).toBe(metres ? "metres" : "nearness");
  const tolerance = 1e-3 * (maximum - minimum);
  expect(Math.abs(output.depth.minimum - minimum)).toBeLessThan(tolerance);
  expect(Math.abs(output.depth.maximum - maximum)).toBeLessThan(tolerance);
  const { most, mean } = apart(await decode(files.get("image.png")), await pictureOf(`depth/${name}/depth.png`));
  expect(most).toBeLessThanOrEqual(2);
  expect(mean).toBeLessThan(0.2);
  expect(units).toEqual({ requests: 1, images: 1 });
});

test("what is near is white, whether the numbers are distances or nearness", async () => {
  const size = { width: 3, height: 1 };
  const greyOf = async (values: Float32Array, unit: DepthUnit) => [
    ...(await depthPicture({ ...size, values, unit }, createPause())).data,
  ];
  const values = Float32Array.of(1, 2, 4);
  expect(await greyOf(values, "nearness")).toEqual([0, 85, 255]);
  expect(await greyOf(values, "metres")).toEqual([255, 85, 0]);
  expect(await greyOf(new Float32Array(3).fill(7), "metres")).toEqual([0, 0, 0]);
});

test("the picture in another format, inside the answer", async () => {
  const { output, files } = await estimate("dpt", { output_format: "jpeg", sync_mode: true });
  expect(output.image.url).toStartWith("data:image/jpeg;base64,");
  expect(files.size).toBe(0);
});
