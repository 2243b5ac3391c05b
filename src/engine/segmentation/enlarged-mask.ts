// A network's small mask in the size of its picture, without as many numbers as that has: only where it passes from one
// side to the other is each pixel looked at.
import type { Lines } from "../tensor/interpolate.ts";
import { collectRuns, type Runs } from "./runs.ts";

/** Logits row by row, and how they are made larger. `along` of tensor/interpolate.ts gives the same numbers, all of them. */
export type SmallMask = { values: Float32Array; across: Lines; down: Lines };

/** Where the enlarged logits are above 0; how many are above OFFSET, and above -OFFSET. */
export type Cut = { runs: Runs; high: number; low: number };

/** transformers' stability_score_offset: the step is 1 on the scale of logits. */
const OFFSET = 1;
/** Between two of them all logits count alike. */
const THRESHOLDS = [-OFFSET, 0, OFFSET];
/** Of a logit: what rounding may add where weights sum to 1, and much more. */
const ROUNDING = 1e-5;

export function cut(mask: SmallMask): Cut {
  const { across, down } = mask;
  const [width, height] = [across.from.length, down.from.length];
  const [columns, rows] = [stretchesOf(across), stretchesOf(down)];
  const counter = createCounter({ width, height });
  const values = new Float32Array(width);
  for (const row of rows) {
    const spans = spansOf(columns, row, mask);
    for (let y = row.begin; y < row.end; y++)
      for (const { begin, end, above, wide } of spans) {
        const at = y * width + begin;
        if (above !== undefined) counter.addAll(at, end - begin, above);
        else counter.addEach(at, mixed(wide, down.weights[y] ?? [], values.subarray(0, end - begin)));
      }
  }
  return counter.cut();
}

/** Rounded after each step, as a plane of such numbers is where it is made. */
function mixed(wide: readonly Float32Array[], weights: readonly number[], into: Float32Array): Float32Array {
  into.fill(0);
  for (const [k, row] of wide.entries()) {
    const weight = weights[k];
    if (weight === undefined) continue;
    for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) + weight * (row[i] ?? 0);
  }
  return into;
}

/** Counts logits in reading order. */
function createCounter(size: { width: number; height: number }) {
  const collected = collectRuns(size);
  let [high, low] = [0, 0];
  return {
    /** `count` logits that are above so many of the thresholds. */
    addAll(at: number, count: number, above: number): void {
      if (above > 2) high += count;
      if (above > 0) low += count;
      if (above > 1) collected.add(at, at + count);
    },
    addEach(at: number, values: Float32Array): void {
      let open = -1;
      for (let i = 0; i < values.length; i++) {
        const value = values[i] ?? 0;
        if (value > OFFSET) high++;
        if (value > -OFFSET) low++;
        if (value > 0 === open >= 0) continue;
        if (open >= 0) collected.add(open, at + i);
        open = open >= 0 ? -1 : at + i;
      }
      if (open >= 0) collected.add(open, at + values.length);
    },
    cut: (): Cut => ({ runs: collected.runs(), high, low }),
  };
}

/** Targets side by side that are made of some of the same sources, which begin with the same one. */
type Stretch = { begin: number; end: number; from: number; count: number };

function stretchesOf({ from, weights }: Lines): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [target, first] of from.entries()) {
    const [last, count] = [stretches.at(-1), weights[target]?.length ?? 0];
    if (last?.from === first) [last.end, last.count] = [target + 1, Math.max(last.count, count)];
    else stretches.push({ begin: target, end: target + 1, from: first, count });
  }
  return stretches;
}

/**
 * Of some rows, places whose logits are all above so many of the thresholds; `above` is undefined where each is to be
 * looked at, and `wide` are its sources at full width then.
 */
type Span = { begin: number; end: number; above: number | undefined; wide: Float32Array[] };

function spansOf(columns: readonly Stretch[], row: Stretch, mask: SmallMask): Span[] {
  const spans: Span[] = [];
  for (const column of columns) {
    const above = aboveAll(column, row, mask);
    const last = spans.at(-1);
    if (last && last.above === above) last.end = column.end;
    else spans.push({ begin: column.begin, end: column.end, above, wide: [] });
  }
  for (const span of spans) if (span.above === undefined) span.wide = wideOf(span, row, mask);
  return spans;
}

/** What is made of sources lies between the least and the greatest of them. */
function aboveAll(column: Stretch, row: Stretch, { values, across }: SmallMask): number | undefined {
  let [least, most] = [Infinity, -Infinity];
  for (let y = row.from; y < row.from + row.count; y++)
    for (let x = column.from; x < column.from + column.count; x++) {
      const value = values[y * across.source + x] ?? 0;
      [least, most] = [Math.min(least, value), Math.max(most, value)];
    }
  const margin = ROUNDING * Math.max(Math.abs(least), Math.abs(most));
  let above = 0;
  for (const threshold of THRESHOLDS) {
    if (least - margin > threshold) above++;
    else if (!(most + margin < threshold)) return undefined;
  }
  return above;
}

function wideOf({ begin, end }: Span, row: Stretch, { values, across }: SmallMask): Float32Array[] {
  return Array.from({ length: row.count }, (_, k) => {
    const line = (row.from + k) * across.source;
    const wide = new Float32Array(end - begin);
    for (let x = begin; x < end; x++) {
      const [start, weights] = [line + (across.from[x] ?? 0), across.weights[x] ?? []];
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (values[start + i] ?? 0);
      wide[x - begin] = sum;
    }
    return wide;
  });
}
