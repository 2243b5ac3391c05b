// The pictures of models/pictures come of the trained graphs, show what they should, and are named right.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resize } from "../../src/engine/tensor/resize.ts";
import { areHere } from "../engine/onnx/trained.ts";
import { apart } from "../engine/support/vision.ts";
import { beside, codec, everything, type Shown } from "./shown.ts";

setDefaultTimeout(300_000);

const FOLDER = join(import.meta.dir, "../../models/pictures");
const page = readFileSync(join(FOLDER, "README.md"), "utf8");
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(FOLDER, name)));

test("every picture of the page is there, and all of them are small", () => {
  const names = [...page.matchAll(/\]\((.*?\.webp)\)/g)].map(([, name]) => name ?? "");
  expect(names).toHaveLength(9);
  expect(names.reduce((sum, name) => sum + bytesOf(name).length, 0)).toBeLessThan(400_000);
});

describe.skipIf(!areHere)("trained graphs", () => {
  const all = new Map<string, Shown>();

  test("make the pictures and the words that are shown", async () => {
    for await (const shown of everything()) {
      all.set(shown.name, shown);
      // WebP, and processors that round otherwise.
      expect(apart(await beside(shown), await codec.decode(bytesOf(`${shown.name}.webp`))).mean).toBeLessThan(5);
    }
    expect(all.size).toBe(9);
  });

  const of = (name: string): Shown => {
    const shown = all.get(name);
    if (!shown) throw new Error(`no ${name}`);
    return shown;
  };

  test("labels are right: a tabby cat, a cat where it lies, one face, the line's words", () => {
    expect(of("classification").said).toStartWith("tabby ");
    expect(of("detection").said).toMatch(/^cat \d\d %$/);
    expect(of("faces").said).toMatch(/^a face, \d\d %$/);
    expect(of("face-mesh").said).toStartWith("468 points");
    expect(of("reading").said.replaceAll(" ", "")).toBe("Forecourt3250");
    for (const name of ["detection", "faces", "face-mesh"])
      expect(apart(of(name).before, of(name).after).most).toBeGreaterThan(100);
  });

  test("pictures are sensible: latents keep the picture, enlarging keeps its colours, a style changes it", async () => {
    const { before, after, said } = of("autoencoder");
    expect(said).toStartWith("latents 4 x 32 x 32,");
    const { width, height } = after;
    expect(apart(await resize(before, { width, height, kernel: "bicubic" }), after).mean).toBeLessThan(15);
    const small = (pixels: Shown["before"]) => resize(pixels, { width: 96, height: 96, kernel: "bilinear" });
    const large = of("super-resolution");
    expect(apart(await small(large.before), await small(large.after)).mean).toBeLessThan(6);
    expect(apart(of("style").before, of("style").after).mean).toBeGreaterThan(20);
    const { data } = of("segmentation").after;
    // The face stays, the upper left corner is the ground that was put behind.
    const at = (x: number, y: number) => [...data.subarray((y * 256 + x) * 3, (y * 256 + x) * 3 + 3)];
    const given = of("segmentation").before;
    expect(Math.abs((at(110, 60)[0] ?? 0) - (given.data[(60 * 256 + 110) * 3] ?? 0))).toBeLessThan(20);
    expect(at(5, 100)[1]).toBeGreaterThan(150);
  });
});
