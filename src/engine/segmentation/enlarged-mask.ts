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
/** Of a logit: what rounding may add where weights sum to 1, and much more. */
const ROUNDING = 1e-5;

export function cut(mask: SmallMask): Cut {
  const { across, down } = mask;
  const [width, height] = [across.from.length, down.from.length];
  const columns = stretchesOf(across);
  const counter = createCounter({ width, height });
  const values = new Float32Array(width);
  const sides = sidesOf(mask.values);
  for (const row of stretchesOf(down)) {
    // Most of a small thing's rows.
    if (isBelowAll(sides, row.from * across.source, (row.from + row.count) * across.source)) continue;
    const spans = spansOf(columns, row, { ...mask, sides });
    for (let y = row.begin; y < row.end; y++)
      for (const { begin, end, above, wide } of spans) {
        const at = y * width + begin;
        if (above !== MIXED) counter.addAll(at, end - begin, above);
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

/** The masks of one picture are all made larger by the same lines. */
const known = new WeakMap<Lines, readonly Stretch[]>();

function stretchesOf(lines: Lines): readonly Stretch[] {
  const made = known.get(lines) ?? joined(lines);
  known.set(lines, made);
  return made;
}

function joined({ from, weights }: Lines): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [target, first] of from.entries()) {
    const [last, count] = [stretches.at(-1), weights[target]?.length ?? 0];
    if (last?.from === first) [last.end, last.count] = [target + 1, Math.max(last.count, count)];
    else stretches.push({ begin: target, end: target + 1, from: first, count });
  }
  return stretches;
}

/** In place of how many of -OFFSET, 0 and OFFSET a logit is above: it lies too near to one of them to tell, or is no number. */
const MIXED = 255;

/** Of each logit how many of the thresholds it is above. */
function sidesOf(values: Float32Array): Uint8Array {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] ?? 0));
  const margin = ROUNDING * Math.max(OFFSET, most);
  const sides = new Uint8Array(values.length).fill(MIXED);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (value < -OFFSET - margin) sides[i] = 0;
    else if (value > OFFSET + margin) sides[i] = 3;
    else if (value > margin && value < OFFSET - margin) sides[i] = 2;
    else if (value < -margin && value > margin - OFFSET) sides[i] = 1;
  }
  return sides;
}

/**
 * Of some rows, places whose logits are all above so many of the thresholds, or MIXED where each is to be looked at: `wide`
 * are its sources at full width then.
 */
type Span = { begin: number; end: number; above: number; wide: Float32Array[] };
type Seen = SmallMask & { sides: Uint8Array };

/** What is made of sources lies between the least and the greatest of them. */
function spansOf(columns: readonly Stretch[], row: Stretch, mask: Seen): Span[] {
  const sides = together(row, mask);
  const spans: Span[] = [];
  let last: Span | undefined;
  for (const { begin, end, from, count } of columns) {
    let above = sides[from] ?? MIXED;
    for (let x = from + 1; x < from + count; x++) if (sides[x] !== above) above = MIXED;
    if (last?.above === above) last.end = end;
    else {
      last = { begin, end, above, wide: [] };
      spans.push(last);
    }
  }
  for (const span of spans) if (span.above === MIXED) span.wide = wideOf(span, row, mask);
  return spans;
}

function isBelowAll(sides: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (sides[i] !== 0) return false;
  return true;
}

/** Of each column, the side that all of its sources in these rows are on. */
function together({ from, count }: Stretch, { sides, across: { source } }: Seen): Uint8Array {
  const all = sides.slice(from * source, (from + 1) * source);
  for (let y = from + 1; y < from + count; y++) {
    const row = y * source;
    for (let x = 0; x < source; x++) if (sides[row + x] !== all[x]) all[x] = MIXED;
  }
  return all;
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
