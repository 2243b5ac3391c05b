// What Florence-2 writes, read as Florence2PostProcessor reads it.
import { describe, expect, test } from "bun:test";
import { type Places, placesOf } from "../../../src/engine/florence/places.ts";
import { factsOf } from "../../../src/engine/florence/tasks.ts";
import { cases, NAMES, type Parsed } from "../support/florence.ts";

const [width, height] = cases.size;

/** Python's coordinates are whole pixels, cut off. */
const near = (got: number, whole: number) => got > whole - 1e-3 && got < whole + 1 + 1e-3;

function expectAlike(places: Places, parsed: Exclude<Parsed, string>): void {
  const { bboxes = [], quad_boxes = [], polygons = [] } = places;
  const boxes = parsed.bboxes ?? [];
  expect(bboxes.map(({ label }) => label)).toEqual(parsed.bboxes_labels ?? (parsed.bboxes ? parsed.labels : []) ?? []);
  for (const [at, { x, y, w, h }] of bboxes.entries())
    for (const [i, value] of [x, y, x + w, y + h].entries()) expect(near(value, boxes[at]?.[i] ?? -9)).toBe(true);
  const quads = parsed.quad_boxes ?? [];
  expect(quad_boxes.map(({ label }) => label)).toEqual(parsed.quad_boxes ? (parsed.labels ?? []) : []);
  for (const [at, { label: _, ...corners }] of quad_boxes.entries())
    for (const [i, value] of Object.values(corners).entries()) expect(near(value, quads[at]?.[i] ?? -9)).toBe(true);
  // A place of one number has no points, and is left out here.
  const labels = parsed.polygons_labels ?? parsed.labels ?? [];
  const rings = (parsed.polygons ?? []).flatMap((each, at) => each.map((ring) => ({ ring, label: labels[at] })));
  const whole = rings.filter(({ ring }) => ring.length > 0);
  expect(polygons.map(({ label }) => label)).toEqual(whole.map(({ label }) => label ?? ""));
  for (const [at, { points }] of polygons.entries()) {
    const wanted = whole[at]?.ring ?? [];
    expect(points.length * 2).toBe(wanted.length);
    for (const [i, value] of points.flatMap(({ x, y }) => [x, y]).entries())
      expect(near(value, wanted[i] ?? -9)).toBe(true);
  }
}

for (const task of Object.keys(NAMES)) {
  const kind = factsOf(NAMES[task] ?? "caption").answers;
  if (kind === "text") continue;
  test(`${task}: places and names are Python's, also of what is garbled`, () => {
    const all = cases.parsed.filter(([, of]) => of === task);
    expect(all.length).toBeGreaterThan(30);
    for (const [text, , parsed] of all) {
      if (typeof parsed === "string") throw new Error("places were expected");
      expectAlike(placesOf(text, kind, { width, height }), parsed);
    }
  });
}

describe("a place", () => {
  test("is the middle of its thousandth", () => {
    const { bboxes } = placesOf("car<loc_0><loc_10><loc_500><loc_999>", "boxes", { width: 1000, height: 2000 });
    expect(bboxes).toEqual([{ x: 0.5, y: 21, w: 500, h: 1978, label: "car" }]);
  });

  test("of a word that names no thing is left out where phrases are looked for, and there alone", () => {
    const text = "the image<loc_0><loc_1><loc_2><loc_3>";
    expect(placesOf(text, "phrases", { width: 10, height: 10 }).bboxes).toEqual([]);
    expect(placesOf(text, "boxes", { width: 10, height: 10 }).bboxes).toHaveLength(1);
  });
});
