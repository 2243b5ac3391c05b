// All masks of a picture: a grid of points is asked for, doubtful and double answers are left out. As transformers'
// mask-generation has it with one crop (SamImageProcessor.filter_masks), and SAM's amg.py for small regions.
import { type Edges, overlap } from "../onnx/boxes/suppress.ts";
import type { Pause } from "../pause.ts";
import { boundsOf } from "../tensor/alpha.ts";
import { type Mask, withoutSmallRegions } from "./regions.ts";
import type { Prompt, Proposals, Sam, Sight } from "./sam.ts";

export type Everything = {
  pointsPerSide: number;
  /** Least score that the model gives its own mask. */
  leastScore: number;
  /** Least share that remains of a mask when it is cut one step higher instead of one step lower. */
  leastStability: number;
  /** Holes and islands below are taken away; pixels. */
  smallestRegion: number;
  /** Of a large picture each answer takes a while. */
  pause: Pause;
};

/** `box` is of the outermost pixels. */
export type Found = { mask: Mask; score: number; box: Edges };

/** transformers' points_per_batch. */
const TOGETHER = 64;
/** transformers' stability_score_offset: the step is 1 on the scale of logits. */
const OFFSET = 1;
/** transformers' crops_nms_thresh: a box that another, better one covers so far is a double. */
const OVERLAP = 0.7;

/** Best first; yields after each batch of points. */
export async function* everyMask(
  { sam, sight }: { sam: Sam; sight: Sight },
  wishes: Everything,
): AsyncGenerator<{ at: number; of: number }, Found[]> {
  const points = gridOf(sight, wishes.pointsPerSide);
  const kept: Candidate[] = [];
  for (let at = 0; at < points.length; at += TOGETHER) {
    const proposals = await sam.propose(sight, points.slice(at, at + TOGETHER));
    for (const each of proposals) kept.push(...(await candidatesOf(each, sight, wishes)));
    yield { at: Math.min(points.length, at + TOGETHER), of: points.length };
  }
  const found: Found[] = [];
  for (const { runs, score, box } of withoutDoubles(kept)) {
    const mask = withoutSmallRegions(maskOf(runs, sight), wishes.smallestRegion);
    found.push({ mask, score, box: mask.data.some((each) => each === 1) ? edgesOf(mask) : box });
    await wishes.pause();
  }
  return found;
}

function gridOf({ picture: { width, height } }: Sight, side: number): Prompt[] {
  const steps = Array.from({ length: side }, (_, at) => (at + 0.5) / side);
  return steps.flatMap((y) => steps.map((x) => ({ points: [{ x: x * width, y: y * height, label: 1 as const }] })));
}

/** Masks wait as lengths of runs: some hundred of them as pixels would be as large as the model. */
type Candidate = { runs: Uint32Array; score: number; box: Edges };

async function candidatesOf(
  { scores, logits }: Proposals,
  { picture }: Sight,
  wishes: Everything,
): Promise<Candidate[]> {
  const good: Candidate[] = [];
  for (const [at, score] of scores.entries()) {
    if (wishes.leastScore > 0 && !(score > wishes.leastScore)) continue;
    const values = logits(at);
    await wishes.pause();
    if (wishes.leastStability > 0 && !(stabilityOf(values) > wishes.leastStability)) continue;
    const mask = { ...picture, data: Uint8Array.from(values, (value) => Number(value > 0)) };
    good.push({ runs: runsOf(mask), score, box: edgesOf(mask) });
  }
  return good;
}

/** NaN where nothing is left either way. */
function stabilityOf(values: Float32Array): number {
  let [high, low] = [0, 0];
  for (const value of values) {
    if (value > OFFSET) high++;
    if (value > -OFFSET) low++;
  }
  return high / low;
}

/** All 0 for an empty mask. */
function edgesOf(mask: Mask): Edges {
  const bounds = boundsOf({ ...mask, channels: 1 }, 1);
  if (!bounds) return { left: 0, top: 0, right: 0, bottom: 0 };
  const { left, top, width, height } = bounds;
  return { left, top, right: left + width - 1, bottom: top + height - 1 };
}

function withoutDoubles(candidates: Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const each of candidates.toSorted((a, b) => b.score - a.score))
    if (kept.every((better) => overlap(better.box, each.box) <= OVERLAP)) kept.push(each);
  return kept;
}

/** Lengths of runs in reading order, the first of what lies outside. */
export function runsOf({ data }: Mask): Uint32Array {
  const runs = [0];
  let now = 0;
  for (const value of data) {
    if (value !== now) {
      runs.push(0);
      now = value;
    }
    runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
  }
  return Uint32Array.from(runs);
}

function maskOf(runs: Uint32Array, { picture: { width, height } }: Sight): Mask {
  const data = new Uint8Array(width * height);
  let at = 0;
  for (const [index, length] of runs.entries()) {
    if (index % 2 === 1) data.fill(1, at, at + length);
    at += length;
  }
  return { data, width, height };
}
