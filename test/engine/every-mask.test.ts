// Which of many proposals remain, against transformers: discs around a grid of points, by the formula of sam_discs.py.
import { expect, test } from "bun:test";
import { createPause } from "../../src/engine/pause.ts";
import { everyMask, type Found } from "../../src/engine/segmentation/every-mask.ts";
import { areaOf } from "../../src/engine/segmentation/runs.ts";
import type { Proposals, Sam, Sight } from "../../src/engine/segmentation/sam.ts";
import { linesOf } from "../../src/engine/tensor/interpolate.ts";
import { fileOf } from "./support/vision.ts";

const [WIDTH, HEIGHT, GRID, PROPOSALS] = [150, 110, 4, 3];
const picture = { width: WIDTH, height: HEIGHT };
const sight: Sight = { embeddings: {}, scale: { x: 1, y: 1 }, picture, seen: picture };

const disc = (x: number, y: number, radius: number) =>
  Float32Array.from(
    { length: WIDTH * HEIGHT },
    (_, at) => radius - Math.sqrt(((at % WIDTH) - x) ** 2 + (Math.floor(at / WIDTH) - y) ** 2),
  );

const asItIs = { across: linesOf(WIDTH, WIDTH, "bilinear"), down: linesOf(HEIGHT, HEIGHT, "bilinear") };

const sam: Sam = {
  takesBoxes: false,
  see: async () => sight,
  propose: async (_, prompts): Promise<Proposals[]> =>
    prompts.map(({ points: [point = { x: 0, y: 0 }] }, i) => ({
      scores: Float32Array.from(
        { length: PROPOSALS },
        (_, k) => 0.5 + (((i * PROPOSALS + k) * 19) % (GRID * GRID * PROPOSALS)) / 96,
      ),
      logits: (k) => ({ values: disc(point.x, point.y, 5 + ((i * 7 + k * 4) % 23)), ...asItIs }),
    })),
};

test("doubtful, unsteady and double ones go as in transformers, and many things remain, best first", async () => {
  const wanted = JSON.parse(new TextDecoder().decode(fileOf("sam/discs.json")));
  const wishes = {
    pointsPerSide: GRID,
    leastScore: 0.6,
    leastStability: 0.6,
    smallestRegion: 0,
    pause: createPause(undefined),
  };
  const steps = everyMask({ sam, sight }, wishes);
  expect((await steps.next()).value).toEqual({ at: 16, of: 16 });
  const found = (await steps.next()).value as Found[];
  expect(found.map(({ score }) => Number(score.toFixed(6)))).toEqual(wanted.scores);
  expect(found.map(({ box: { left, top, right, bottom } }) => [left, top, right, bottom])).toEqual(wanted.boxes);
  expect(found.map(({ mask }) => areaOf(mask))).toEqual(wanted.areas);
  expect(found.length).toBeGreaterThan(5);
  expect(found.length).toBeLessThan(wanted.considered);
});
