// From what Florence-2 writes to places in a picture: boxes, quadrangles around words and polygons around things.
import type { AnswerKind } from "./tasks.ts";

export type Size = { width: number; height: number };
export type Point = { x: number; y: number };
export type Box = { x: number; y: number; w: number; h: number; label: string };
/** Corners in the order in which the words are read. */
export type Quad = { [corner in `${"x" | "y"}${1 | 2 | 3 | 4}`]: number } & { label: string };
export type Polygon = { points: Point[]; label: string };
/** In pixels of the picture. Which lists there are says the task. */
export type Places = { bboxes?: Box[]; quad_boxes?: Quad[]; polygons?: Polygon[] };

/** The picture's sides are cut in so many bins; <loc_N> is the middle of one. */
const BINS = 1000;

/** The rules are those of Florence2PostProcessor: what is begun and not ended, and what they do not know, is left out. */
export function placesOf(written: string, kind: Exclude<AnswerKind, "text">, size: Size): Places {
  const text = written.replaceAll(/<\/?s>|<pad>/g, "");
  switch (kind) {
    case "boxes":
      return { bboxes: boxesOf(text, { size, pattern: NAMED }) };
    case "unnamed-boxes":
      return { bboxes: boxesOf(text, { size, pattern: UNNAMED }) };
    case "phrases":
      return { bboxes: boxesOf(text, { size, pattern: NAMED, isOut: (phrase) => NO_THINGS.has(phrase) }) };
    case "quads":
      return { quad_boxes: quadsOf(text, size) };
    case "polygons":
      return { polygons: polygonsOf(text, { size, pattern: UNNAMED_POLYGON }) };
    case "boxes-or-polygons":
      return text.includes("<poly>")
        ? { bboxes: [], polygons: polygonsOf(text, { size, pattern: NAMED_POLYGON }) }
        : { bboxes: boxesOf(text, { size, pattern: NAMED }) };
  }
}

const NAMED = /[^<]+(?:<loc_\d+>){4,}/g;
const UNNAMED = /(?:<loc_\d+>){4,}/g;
const UNNAMED_POLYGON = /(?:<loc_\d+>|<\/?poly>|<sep>){4,}/g;
const NAMED_POLYGON = /[^<]+(?:<loc_\d+>|<\/?poly>|<sep>){4,}/g;
const QUAD = /([^\n]+?)((?:<loc_\d+>){8})/g;
const LABEL = /^\s*[^\n]*?(?=<\/?od>|<\/?b?box>|<loc_)/;
const POLYGON_LABEL = /^\s*[^\n]*?(?=<\/?od>|<\/?b?box>|<loc_|<poly>)/;
const RING = /((?:<loc_\d+>)+)(?:<sep>|$)/g;

/** Words of a caption that name no thing of the picture: microsoft/Florence-2's processing. */
const NO_THINGS: ReadonlySet<string> = new Set(
  [
    "it I me mine you your yours he him his she her hers they them their theirs one oneself we us our ours its",
    "myself yourself himself herself itself ourselves yourselves themselves this that these those who whom whose which",
    "what all another any anybody anyone anything each everybody everyone everything few many nobody none several some",
    "somebody someone something image images the a an lots",
  ]
    .flatMap((words) => words.split(" "))
    .concat("each other", "one another", "the image", "a group", "other objects", "a set"),
);

const binsOf = (text: string) => [...text.matchAll(/<loc_(\d+)>/g)].map(([, bin]) => Number(bin));
/** Labels of boxes are of ASCII alone, as in training. */
const ascii = (text: string) => text.replaceAll(/[^\0-\x7f]/g, "");
const along = (bin: number, length: number) => ((bin + 0.5) * length) / BINS;

type Boxes = { size: Size; pattern: RegExp; isOut?(phrase: string): boolean };

function boxesOf(text: string, { size, pattern, isOut }: Boxes): Box[] {
  return [...text.matchAll(pattern)].flatMap(([part]) => {
    const phrase = LABEL.exec(part)?.[0].trim();
    if (phrase === undefined || isOut?.(phrase)) return [];
    return inGroups(binsOf(part), 4).map(([left = 0, top = 0, right = 0, bottom = 0]) => {
      const [x, y] = [along(left, size.width), along(top, size.height)];
      return { x, y, w: along(right, size.width) - x, h: along(bottom, size.height) - y, label: ascii(phrase) };
    });
  });
}

function quadsOf(text: string, size: Size): Quad[] {
  return [...text.matchAll(QUAD)].map(([, label = "", corners = ""]) => {
    const [a, b, c, d] = pointsOf(binsOf(corners), size);
    const at = (point: Point | undefined) => point ?? { x: 0, y: 0 };
    const [one, two, three, four] = [at(a), at(b), at(c), at(d)];
    return {
      ...{ x1: one.x, y1: one.y, x2: two.x, y2: two.y, x3: three.x, y3: three.y, x4: four.x, y4: four.y },
      label: label.trim(),
    };
  });
}

function polygonsOf(text: string, { size, pattern }: { size: Size; pattern: RegExp }): Polygon[] {
  return [...text.matchAll(pattern)].flatMap(([part]) => {
    const label = POLYGON_LABEL.exec(part.replace(/^<loc_\d+>/, ""))?.[0].trim();
    if (label === undefined) return [];
    const marked = part.includes("<poly>") && part.includes("</poly>");
    const things = marked ? [...part.matchAll(/<poly>([^\n]*?)<\/poly>/g)].map(([, inner = ""]) => inner) : [part];
    const rings = things.flatMap((thing) => [...thing.matchAll(RING)].map(([, ring = ""]) => binsOf(ring)));
    return rings.map((bins) => ({ points: pointsOf(bins, size), label })).filter(({ points }) => points.length > 0);
  });
}

/** An odd one is left out. */
const pointsOf = (bins: readonly number[], { width, height }: Size): Point[] =>
  inGroups(bins, 2).map(([x = 0, y = 0]) => ({ x: along(x, width), y: along(y, height) }));

/** Whole groups. */
const inGroups = (bins: readonly number[], size: number) =>
  Array.from({ length: Math.floor(bins.length / size) }, (_, at) => bins.slice(at * size, (at + 1) * size));
