// Masks as a caller gets them: pictures, of points, boxes or everything, on tiny graphs of random weights.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { segmentAll } from "../../../src/engine/pipelines/segment-all.ts";
import { segmentImage } from "../../../src/engine/pipelines/segment-image.ts";
import { runOnce } from "../support/load.ts";
import { casesOf, decode, openFamily, pictureOf, shown } from "../support/vision.ts";

setDefaultTimeout(60_000);

type Cases = { prompts: Record<string, { scores: number[]; mask: number[] }>; everything: { masks: number[][] } };

const given = { image_url: "https://example.org/picture.png" };
const segment = (family: string, wishes: Record<string, unknown>) =>
  runOnce(segmentImage, { assets: openFamily(family), input: { ...given, ...wishes }, media: shown("picture.png") });
const failureOf = (family: string, wishes: Record<string, unknown>) => segment(family, wishes).catch((error) => error);

/** Of the mask in `cases.json`. */
const areaOf = (runs: number[] = []) => runs.reduce((sum, length, at) => sum + (at % 2 === 1 ? length : 0), 0);
const box = { x_min: 30, y_min: 15, x_max: 110, y_max: 90 };

describe("what points and boxes show", () => {
  test("is white in a picture of the same size, with the model's own score", async () => {
    const { one } = casesOf<Cases>("sam").prompts;
    const { output, files, units } = await segment("sam", { prompts: [{ x: 60, y: 50 }] });
    expect(output.image).toMatchObject({ width: 150, height: 110, content_type: "image/png" });
    expect(output).not.toHaveProperty("masks");
    expect(output.scores[0]).toBeCloseTo(Math.max(...(one?.scores ?? [])), 4);
    const { data, channels } = await decode(files.get("image.png"));
    const white = data.filter((value, at) => at % channels === 0 && value === 255).length;
    expect(Math.abs(white - areaOf(one?.mask))).toBeLessThan(20);
    expect(data.every((value) => value === 0 || value === 255)).toBe(true);
    expect(units).toEqual({ requests: 1, images: 1 });
  });

  test("is cut out of the picture: transparent around it, or black where the format knows no transparency", async () => {
    const wishes = { prompts: [{ x: 60, y: 50 }], apply_mask: true };
    const picture = await pictureOf("picture.png");
    const mask = await decode((await segment("sam", { prompts: wishes.prompts })).files.get("image.png"));
    const cut = await decode((await segment("sam", wishes)).files.get("image.png"));
    expect(cut.channels).toBe(4);
    for (let at = 0; at < 150 * 110; at++) {
      expect(cut.data[at * 4 + 3]).toBe(mask.data[at * mask.channels] ?? -1);
      if (cut.data[at * 4 + 3]) expect(cut.data[at * 4]).toBe(picture.data[at * 3] ?? -1);
    }
    const { output } = await segment("sam", { ...wishes, output_format: "jpeg" });
    expect(output.image).toMatchObject({ content_type: "image/jpeg" });
  });

  test("may be several things: each has a mask, and the picture shows all", async () => {
    const { output, files } = await segment("sam2", {
      prompts: [
        { x: 60, y: 50 },
        { x: 120, y: 20, object_id: 7 },
      ],
      box_prompts: [
        { ...box, object_id: 7 },
        { ...box, object_id: 9 },
      ],
      return_multiple_masks: true,
    });
    expect(output.scores).toHaveLength(3);
    expect(output.masks?.map(({ file_name }) => file_name)).toEqual(["mask-1.png", "mask-2.png", "mask-3.png"]);
    const masks = await Promise.all([1, 2, 3].map((at) => decode(files.get(`mask-${at}.png`))));
    const all = await decode(files.get("image.png"));
    const either = all.data.map((_, at) => Math.max(...masks.map(({ data }) => data[at] ?? 0)));
    expect(all.data).toEqual(either);
  });

  test("a point and a box without ids are of one thing", async () => {
    const { both } = casesOf<Cases>("sam2").prompts;
    const { output } = await segment("sam2", { prompts: [{ x: 60, y: 50 }], box_prompts: [box] });
    expect(output.scores).toHaveLength(1);
    expect(output.scores[0]).toBeCloseTo(Math.max(...(both?.scores ?? [])), 4);
  });

  test.each([
    ["sam", {}, "prompts", "Give a point"],
    ["sam", { box_prompts: [box] }, "box_prompts", "points alone"],
    ["sam2", { prompts: [{ x: 15, y: 500, label: "0" }] }, "prompts", "outside"],
    ["sam2", { prompts: [{ x: 151, y: 5 }] }, "prompts", "outside of the picture of 150x110"],
    ["sam2", { box_prompts: [{ ...box, x_max: 30 }] }, "box_prompts", "is empty"],
    ["sam2", { box_prompts: [{ ...box, y_max: 111 }] }, "box_prompts", "outside"],
    [
      "sam2",
      {
        box_prompts: [
          { ...box, object_id: 1 },
          { ...box, object_id: 1 },
        ],
      },
      "box_prompts",
      "two boxes",
    ],
  ])("%s refuses %j, naming %s", async (family, wishes, field, why) => {
    const failure = await failureOf(family, wishes);
    expect(failure).toMatchObject({ code: "invalid_input" });
    expect(failure.problems[0].loc.slice(0, 2)).toEqual(["body", field]);
    expect(failure.message).toContain(why);
  });
});

test("everything: a mask for each thing, all of them in colours, and progress by points", async () => {
  const { masks } = casesOf<Cases>("sam2").everything;
  const wishes = { points_per_side: 4, pred_iou_thresh: 0.5, stability_score_thresh: 0.6, min_mask_region_area: 0 };
  const { output, files, steps } = await runOnce(segmentAll, {
    ...{ assets: openFamily("sam2"), input: { ...given, ...wishes }, media: shown("picture.png") },
  });
  expect(output.individual_masks).toHaveLength(masks.length);
  expect(steps.slice(0, -1)).toEqual([{ type: "progress", at: 16, of: 16 }]);
  const combined = await decode(files.get("combined.png"));
  const [mask] = await Promise.all([decode(files.get("mask-1.png"))]);
  const coloured = Array.from(
    { length: 150 * 110 },
    (_, at) => Math.max(...combined.data.slice(at * 3, at * 3 + 3)) > 0,
  );
  expect(coloured).toEqual(Array.from({ length: 150 * 110 }, (_, at) => (mask.data[at * mask.channels] ?? 0) > 0));
});

test("of a picture with nothing to be sure of, everything is nothing", async () => {
  const wishes = { points_per_side: 2, pred_iou_thresh: 1, stability_score_thresh: 1 };
  const { output } = await runOnce(segmentAll, {
    ...{ assets: openFamily("sam2"), input: { ...given, ...wishes }, media: shown("picture.png") },
  });
  expect(output.individual_masks).toEqual([]);
  expect(output.combined_mask).toMatchObject({ width: 150, height: 110 });
});

test("a run that is cancelled ends between points", async () => {
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  const running = runOnce(segmentAll, {
    ...{ assets: openFamily("sam2"), input: given, media: shown("picture.png"), signal: stop.signal },
  });
  await expect(running).rejects.toThrow("enough");
});
