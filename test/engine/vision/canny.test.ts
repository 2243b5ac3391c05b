// Edges against OpenCV's (numbers made by canny.py).
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createPause } from "../../../src/engine/pause.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { canny } from "../../../src/engine/vision/canny.ts";

type Case = { picture: string; low: number; high: number; edges: number; bits: string };
const cases: Case[] = JSON.parse(readFileSync(join(import.meta.dir, "canny.json"), "utf8"));

test.each(cases.map((each) => [`${each.picture} ${each.low}-${each.high}`, each] as const))(
  "%s: the same pixels are edges",
  async (_, { picture, low, high, edges, bits }) => {
    const pixels = await createCodec().decode(readFileSync(join(import.meta.dir, "../..", picture)));
    const { data, width, height } = await canny(pixels, { low, high }, createPause());
    const packed = Buffer.from(bits, "base64");
    const wanted = Array.from({ length: width * height }, (_, at) => ((packed[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    const found = Array.from({ length: width * height }, (_, at) => Number(data[at * 3] === 255));
    expect(found).toEqual(wanted);
    expect(found.filter((bit) => bit === 1)).toHaveLength(edges);
  },
);

test("some pictures of the reference have edges", () => {
  expect(cases.filter(({ edges }) => edges > 50).length).toBeGreaterThan(5);
});
