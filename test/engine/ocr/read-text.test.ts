// Reading a page with PaddleOCR's trained graphs, against the package rapidocr-onnxruntime on the same graphs and page.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { areHere, ask } from "../onnx/trained.ts";
import { casesOf, fileOf } from "../support/vision.ts";

setDefaultTimeout(120_000);

type Case = { corners: [number, number][]; text: string; score: number };
type Box = Record<`${"x" | "y"}${1 | 2 | 3 | 4}`, number> & { label: string; score: number };

const read = async (options: Record<string, unknown> = {}) => {
  const { output, units, steps } = await ask("paddlepaddle/ppocr-english", fileOf("ocr/page.png"), options);
  return { output: output as { text: string; results: { quad_boxes: Box[] } }, units, steps };
};
/** Whether a narrow gap is a space differs with how a line is resized. */
const squeezed = (text: string) => text.replaceAll(" ", "");

describe.skipIf(!areHere)("a page of several lines", () => {
  test("has PaddleOCR's lines at PaddleOCR's places, and the one that runs upwards besides", async () => {
    const { output, units, steps } = await read();
    const boxes = output.results.quad_boxes;
    const wanted = casesOf<Case[]>("ocr");
    expect(wanted.length).toBeGreaterThan(6);
    for (const { text, corners } of wanted) {
      const box = boxes.find(({ label }) => squeezed(label) === squeezed(text));
      const at = box && [1, 2, 3, 4].map((i) => [box[`x${i as 1}`], box[`y${i as 1}`]]);
      const apart = corners.map(([x, y], i) => Math.hypot(x - (at?.[i]?.[0] ?? NaN), y - (at?.[i]?.[1] ?? NaN)));
      expect({ text, apart: Math.max(...apart) < 4 }).toEqual({ text, apart: true });
      expect(box?.score).toBeGreaterThan(0.85);
    }
    expect(
      boxes.map(({ label }) => label).filter((label) => !wanted.some(({ text }) => squeezed(text) === squeezed(label))),
    ).toEqual(["UPWARDS"]);
    expect(output.text).toBe(boxes.map(({ label }) => label).join("\n"));
    expect(units).toEqual({ requests: 1, images: 1 });
    expect(steps.filter(({ type }) => type === "progress")).toHaveLength(boxes.length - 1);
  });

  test("keeps what is read surely enough alone", async () => {
    const sure = await read({ score_threshold: 0.99 });
    const all = (await read()).output.results.quad_boxes;
    const kept = sure.output.results.quad_boxes;
    expect(kept.map(({ label }) => label)).toEqual(all.filter(({ score }) => score >= 0.99).map(({ label }) => label));
    expect(kept.length).toBeLessThan(all.length);
  });
});

test.skipIf(!areHere)("a picture without text has an empty answer", async () => {
  const { output } = await ask("paddlepaddle/ppocr-english", fileOf("picture.png"));
  expect(output).toEqual({ text: "", results: { quad_boxes: [] } });
});
