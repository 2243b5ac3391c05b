// Reads what is written in a picture: a detector finds lines of text, a reader reads each. Boxes are in the shape of
// fal's answers with regions (fal-protocol.md 12, florence-2-large/ocr-with-region).
import { definePipeline, type Pixels } from "../../core/pipeline.ts";
import { mediaUrl, Type } from "../../core/schema.ts";
import { readPicture } from "../media/picture.ts";
import { loadDetector } from "../ocr/detector.ts";
import { loadReader } from "../ocr/reader.ts";
import { cornersOf, type Rectangle, straighten, turned } from "../ocr/rectangle.ts";
import { inReadingOrder } from "../ocr/regions.ts";
import type { Line } from "../text/ctc.ts";

const input = Type.Object({
  image_url: mediaUrl("image", "The picture: URL or data URI."),
  score_threshold: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.5,
    description: "Lines that are read less surely are left out.",
  }),
});

const corner = (where: string) => Type.Number({ description: where });
const box = Type.Object({
  ...{ x1: corner("Left above, in pixels of the picture."), y1: Type.Number() },
  ...{ x2: corner("Right above."), y2: Type.Number() },
  ...{ x3: corner("Right below."), y3: Type.Number() },
  ...{ x4: corner("Left below."), y4: Type.Number() },
  label: Type.String({ description: "What is read." }),
  score: Type.Number({ description: "Mean share of the signs, from 0 to 1." }),
});

const output = Type.Object({
  text: Type.String({ description: "All lines as they are read, one below the other." }),
  results: Type.Object({ quad_boxes: Type.Array(box, { description: "Row by row, from left to right." }) }),
});

/** From this on a region is taller than wide because its text runs down. */
const UPRIGHT_FROM = 1.5;

export const readText = definePipeline({
  summary: "Reads the text in a picture.",
  input,
  output,
  estimate: () => ({ requests: 1, images: 1 }),
  async load(assets) {
    const detect = await loadDetector(assets, "detector.onnx");
    const read = await loadReader(assets, { graph: "reader.onnx", alphabet: "alphabet.txt" });
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        signal.throwIfAborted();
        const { image_url: url, score_threshold: threshold } = task.input;
        const picture = await readPicture({ task, codec: assets.codec, url, field: "image_url" });
        const regions = inReadingOrder(await detect(picture));
        const lines = [];
        for (const [i, region] of regions.entries()) {
          signal.throwIfAborted();
          const { text, score } = await surest(
            waysToRead(region).map((way) => straighten(picture, way)),
            read,
          );
          if (text !== "" && score >= threshold) lines.push({ ...quadOf(region, picture), label: text, score });
          if (i + 1 < regions.length) yield { index, step: { type: "progress", at: i + 1, of: regions.length } };
        }
        const value = { text: lines.map(({ label }) => label).join("\n"), results: { quad_boxes: lines } };
        yield { index, step: { type: "output", value, units: { requests: 1, images: 1 } } };
      }
    };
  },
});

/** Text that runs up or down is read both ways. */
function waysToRead(region: Rectangle): Rectangle[] {
  if (region.height < region.width * UPRIGHT_FROM) return [region];
  const down = turned(region);
  return [down, turned(turned(down))];
}

async function surest(pictures: readonly Pixels[], read: (line: Pixels) => Promise<Line>): Promise<Line> {
  let best: Line = { text: "", score: 0 };
  for (const picture of pictures) {
    const line = await read(picture);
    if (line.score > best.score) best = line;
  }
  return best;
}

function quadOf(region: Rectangle, { width, height }: { width: number; height: number }) {
  const [a, b, c, d] = cornersOf(region).map(({ x, y }) => ({
    x: Math.min(width, Math.max(0, Math.round(x))),
    y: Math.min(height, Math.max(0, Math.round(y))),
  })) as [Corner, Corner, Corner, Corner]; // a map keeps the length
  return { x1: a.x, y1: a.y, x2: b.x, y2: b.y, x3: c.x, y3: c.y, x4: d.x, y4: d.y };
}

type Corner = { x: number; y: number };
