// SAM and SAM 2 on tiny graphs of random weights against transformers.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createPause } from "../../src/engine/pause.ts";
import { cut } from "../../src/engine/segmentation/enlarged-mask.ts";
import { everyMask } from "../../src/engine/segmentation/every-mask.ts";
import { maskOf, type Runs } from "../../src/engine/segmentation/runs.ts";
import { loadSam, type Prompt } from "../../src/engine/segmentation/sam.ts";
import { casesOf, openFamily, pictureOf } from "./support/vision.ts";

setDefaultTimeout(60_000);

const pause = createPause();

type Cases = {
  prompts: Record<string, { scores: number[]; best: number; mask: number[] }>;
  everything: { scores: number[]; masks: number[][]; cleaned: number[][] };
};

const PROMPTS: Record<string, Prompt> = {
  one: { points: [{ x: 60, y: 50, label: 1 }] },
  two: {
    points: [
      { x: 60, y: 50, label: 1 },
      { x: 120, y: 20, label: 0 },
    ],
  },
  box: { points: [], box: { left: 30, top: 15, right: 110, bottom: 90 } },
  both: { points: [{ x: 60, y: 50, label: 1 }], box: { left: 30, top: 15, right: 110, bottom: 90 } },
};

const pixelsOf = (runs: ArrayLike<number>) =>
  Array.from(runs, (length, at) => new Array<number>(length).fill(at % 2)).flat();

async function toEnd<Value>(steps: AsyncGenerator<unknown, Value>): Promise<Value> {
  let step = await steps.next();
  while (!step.done) step = await steps.next();
  return step.value;
}

/** Share of pixels that two masks have differently; Python's are lengths in reading order, the first of what lies outside. */
function apart(a: Runs, b: ArrayLike<number>): number {
  const [first, second] = [Array.from(maskOf(a).data), pixelsOf(b)];
  expect(first.length).toBe(second.length);
  return first.filter((value, at) => value !== second[at]).length / first.length;
}

for (const family of ["sam", "sam2"])
  describe(family, () => {
    const { prompts, everything } = casesOf<Cases>(family);

    for (const [name, wanted] of Object.entries(prompts))
      test(`scores and the best mask are Python's: ${name}`, async () => {
        const assets = openFamily(family);
        const sam = await loadSam(assets);
        const sight = await sam.see(await pictureOf("picture.png"), pause);
        const [found] = await sam.propose(sight, [PROMPTS[name] ?? { points: [] }]);
        if (!found) throw new Error("no proposals");
        for (const [at, score] of wanted.scores.entries()) expect(found.scores[at]).toBeCloseTo(score, 4);
        // A logit of nearly 0 may fall to either side.
        expect(apart(cut(found.logits(wanted.best)).runs, wanted.mask)).toBeLessThan(1e-3);
        await assets.release();
      });

    test("all masks of a grid of points are Python's, and small regions go as there", async () => {
      const assets = openFamily(family);
      const sam = await loadSam(assets);
      const sight = await sam.see(await pictureOf("picture.png"), pause);
      const wishes = { pointsPerSide: 4, leastScore: 0.5, leastStability: 0.6, pause };
      for (const [smallestRegion, wanted] of [
        [0, everything.masks],
        [40, everything.cleaned],
      ] as const) {
        const found = await toEnd(everyMask({ sam, sight }, { ...wishes, smallestRegion }));
        expect(found).toHaveLength(wanted.length);
        for (const [at, { mask, score }] of found.entries()) {
          expect(score).toBeCloseTo(everything.scores[at] ?? NaN, 4);
          expect(apart(mask, wanted[at] ?? [])).toBeLessThan(2e-3);
        }
      }
      expect(everything.masks.length).toBeGreaterThan(0);
      await assets.release();
    });
  });

test("a picture that was seen is not computed again", async () => {
  const assets = openFamily("sam");
  const sam = await loadSam(assets);
  const picture = await pictureOf("picture.png");
  const sight = await sam.see(picture, pause);
  expect(await sam.see({ ...picture, data: picture.data.slice() }, pause)).toBe(sight);
  const other = picture.data.slice();
  other[0] = 255 - (other[0] ?? 0);
  expect(await sam.see({ ...picture, data: other }, pause)).not.toBe(sight);
  await assets.release();
});
