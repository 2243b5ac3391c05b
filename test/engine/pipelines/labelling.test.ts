// Classes, checks and boxes on tiny models of random weights against transformers.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Pixels } from "../../../src/core/pipeline.ts";
import { checkImage } from "../../../src/engine/pipelines/check-image.ts";
import { classifyImage } from "../../../src/engine/pipelines/classify-image.ts";
import { detectObjects } from "../../../src/engine/pipelines/detect-objects.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { runOnce } from "../support/load.ts";
import { apart, casesOf, decode, openFamily, pictureOf, shown } from "../support/vision.ts";

setDefaultTimeout(120_000);

type Named = { label: string; score: number };
type Found = Named & { corners: [number, number, number, number] };
const cases = casesOf<{ vit: Named[]; nsfw: Named[] } & Record<"detr" | "yolos" | "rt-detr", Found[]>>("labelling");

const given = (family: string, input: Record<string, unknown>) => ({
  assets: openFamily(`labelling/${family}`),
  input,
  media: shown("picture.png"),
});
const url = "https://example.org/picture.png";

describe("classes", () => {
  test("names and shares are transformers', the likeliest first", async () => {
    const { output, units } = await runOnce(classifyImage, given("vit", { image_url: url, top_k: 3 }));
    expect(output.classes.map(({ label }) => label)).toEqual(cases.vit.slice(0, 3).map(({ label }) => label));
    for (const [i, { score }] of output.classes.entries()) expect(score).toBeCloseTo(cases.vit[i]?.score ?? NaN, 3);
    expect(units).toEqual({ requests: 1, images: 1 });
  });
});

describe("pictures that are not safe for work", () => {
  const wanted = cases.nsfw.find(({ label }) => label === "nsfw")?.score ?? NaN;

  test("one picture's probability", async () => {
    const { output } = await runOnce(checkImage, given("nsfw", { image_url: url }));
    expect(output.nsfw_probability).toBeCloseTo(wanted, 3);
    expect(output.has_nsfw_concepts).toEqual([wanted > 0.5]);
  });

  test("several pictures, at another threshold; the first ten count", async () => {
    const image_urls = new Array<string>(12).fill(url);
    const { output, units, log } = await runOnce(checkImage, given("nsfw", { image_urls, threshold: wanted / 2 }));
    expect(output.has_nsfw_concepts).toEqual(new Array(10).fill(true));
    expect(units).toEqual({ requests: 1, images: 10 });
    expect(log).toEqual(["only the first 10 of 12 are looked at"]);
  });

  test("no picture at all is a problem of the request, a model without such a class one of its file", async () => {
    const none = await runOnce(checkImage, given("nsfw", {})).catch((error) => error);
    expect(none).toMatchObject({ code: "invalid_input", problems: [{ loc: ["body", "image_url"] }] });
    const other = await runOnce(checkImage, given("vit", { image_url: url })).catch((error) => error);
    expect(other).toMatchObject({ code: "misconfigured", message: expect.stringContaining("classify-image") });
  });
});

describe.each(["detr", "yolos", "rt-detr"] as const)("%s", (family) => {
  test("boxes, names and scores are transformers', cut at the picture's edges", async () => {
    const { output, files } = await runOnce(
      detectObjects,
      given(family, { image_url: url, score_threshold: 0.3, output_format: "png" }),
    );
    const inside = (value: number, edge: number) => Math.min(edge, Math.max(0, value));
    const found = output.results.bboxes;
    expect(found).toHaveLength(cases[family].length);
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).toSorted((a, b) => b - a));
    // Scores that lie close together may change places.
    for (const { corners, score, label } of cases[family]) {
      const wanted = corners.map((at, k) => inside(at, k % 2 === 0 ? 150 : 110));
      const same = found.filter(({ x, y, w, h, ...box }) => {
        const off = [x, y, x + w, y + h].map((at, k) => Math.abs(at - (wanted[k] ?? NaN)));
        return box.label === label && Math.abs(box.score - score) < 0.01 && Math.max(...off) < 1;
      });
      expect(same).not.toBeEmpty();
    }
    const drawn = await decode(files.get("image.png"));
    expect(apart(drawn, await pictureOf("picture.png")).mean).toBeGreaterThan(0.5);
  });

  test.each([
    [1, 1],
    [1, 10_000],
    [10_000, 1],
  ] as const)("a picture of %d x %d is looked at as well", async (width, height) => {
    const strip: Pixels = { data: new Uint8Array(width * height * 3).fill(90), width, height, channels: 3 };
    const bytes = await createCodec().encode(strip, "png");
    const asked = { ...given(family, { image_url: url, score_threshold: 0 }), media: async () => bytes };
    const { output } = await runOnce(detectObjects, asked);
    expect(output.image).toMatchObject({ width, height });
    for (const { x, y, w, h } of output.results.bboxes) {
      expect(Math.min(x, y, w, h)).toBeGreaterThanOrEqual(0);
      expect(x + w).toBeLessThanOrEqual(width + 1e-3);
      expect(y + h).toBeLessThanOrEqual(height + 1e-3);
    }
  });

  test("nothing is found above the highest score, and the picture stays as it was", async () => {
    const { output, files } = await runOnce(detectObjects, given(family, { image_url: url, score_threshold: 1 }));
    expect(output.results.bboxes).toEqual([]);
    expect(apart(await decode(files.get("image.png")), await pictureOf("picture.png")).most).toBe(0);
  });
});
