// All masks of a picture: a grid of points is asked for, doubtful and double answers are left out. As transformers'
// mask-generation has it with one crop (SamImageProcessor.filter_masks), and SAM's amg.py for small regions.
import { type Edges, overlap } from "../onnx/boxes/suppress.ts";
import type { Pause } from "../pause.ts";
import { cut } from "./enlarged-mask.ts";
import { withoutSmallRegions } from "./regions.ts";
import { edgesOf, type Runs } from "./runs.ts";
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
export type Found = { mask: Runs; score: number; box: Edges };

/** transformers' points_per_batch. */
const TOGETHER = 64;
/** transformers' crops_nms_thresh: a box that another, better one covers so far is a double. */
const OVERLAP = 0.7;

/** Best first; yields after each batch of points. */
export async function* everyMask(
  { sam, sight }: { sam: Sam; sight: Sight },
  wishes: Everything,
): AsyncGenerator<{ at: number; of: number }, Found[]> {
  const points = gridOf(sight, wishes.pointsPerSide);
  const kept: Found[] = [];
  for (let at = 0; at < points.length; at += TOGETHER) {
    const proposals = await sam.propose(sight, points.slice(at, at + TOGETHER));
    for (const each of proposals) kept.push(...(await candidatesOf(each, wishes)));
    yield { at: Math.min(points.length, at + TOGETHER), of: points.length };
  }
  const found: Found[] = [];
  for (const { mask: whole, score, box } of await withoutDoubles(kept, wishes.pause)) {
    const mask = await withoutSmallRegions(whole, wishes.smallestRegion, wishes.pause);
    found.push({ mask, score, box: edgesOf(mask) ?? box });
    await wishes.pause();
  }
  return found;
}

function gridOf({ picture: { width, height } }: Sight, side: number): Prompt[] {
  const steps = Array.from({ length: side }, (_, at) => (at + 0.5) / side);
  return steps.flatMap((y) => steps.map((x) => ({ points: [{ x: x * width, y: y * height, label: 1 as const }] })));
}

async function candidatesOf({ scores, logits }: Proposals, wishes: Everything): Promise<Found[]> {
  const good: Found[] = [];
  for (const [at, score] of scores.entries()) {
    if (wishes.leastScore > 0 && !(score > wishes.leastScore)) continue;
    const { runs, high, low } = cut(logits(at));
    await wishes.pause();
    // NaN where nothing is left either way.
    if (wishes.leastStability > 0 && !(high / low > wishes.leastStability)) continue;
    good.push({ mask: runs, score, box: edgesOf(runs) ?? NOWHERE });
  }
  return good;
}

/** Of an empty mask. */
const NOWHERE: Edges = { left: 0, top: 0, right: 0, bottom: 0 };

async function withoutDoubles(candidates: Found[], pause: Pause): Promise<Found[]> {
  const kept: Found[] = [];
  for (const each of candidates.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((better) => overlap(better.box, each.box) <= OVERLAP)) kept.push(each);
    await pause();
  }
  return kept;
}
