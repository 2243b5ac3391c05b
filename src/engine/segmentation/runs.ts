// A mask as its stretches: of a large picture some thousand numbers in place of as many as it has pixels.
import { inPieces, type Pause } from "../pause.ts";

type Size = { width: number; height: number };

/** 1 where the mask is, row by row. */
export type Mask = Size & { data: Uint8Array };

/** Places in reading order, from `from[i]` to `to[i]` (not with it); none goes on into the next row, and no two touch. */
export type Runs = Size & { from: Uint32Array; to: Uint32Array };

/** Collects stretches in reading order: cut at the ends of rows, and joined where they touch. */
export function collectRuns({ width, height }: Size) {
  const [from, to]: [number[], number[]] = [[], []];
  return {
    /** Within one row, or over several. */
    add(begin: number, end: number): void {
      for (let at = begin; at < end; ) {
        const rowEnd = Math.min(end, (Math.floor(at / width) + 1) * width);
        if (to.at(-1) === at && at % width !== 0) to[to.length - 1] = rowEnd;
        else {
          from.push(at);
          to.push(rowEnd);
        }
        at = rowEnd;
      }
    },
    runs: (): Runs => ({ width, height, from: Uint32Array.from(from), to: Uint32Array.from(to) }),
  };
}

export async function runsOf({ data, width, height }: Mask, pause: Pause): Promise<Runs> {
  const collected = collectRuns({ width, height });
  await inPieces({ rows: height, size: width, pause }, (top, bottom) => {
    const piece = data.subarray(top * width, bottom * width);
    for (let at = piece.indexOf(1); at >= 0; ) {
      const end = piece.indexOf(0, at);
      collected.add(top * width + at, top * width + (end < 0 ? piece.length : end));
      at = end < 0 ? -1 : piece.indexOf(1, end);
    }
  });
  return collected.runs();
}

export function maskOf(runs: Runs): Mask {
  const { width, height } = runs;
  return { width, height, data: fillRuns(new Uint8Array(width * height), runs, 1) };
}

/** Writes `value` wherever the mask is. */
export function fillRuns(data: Uint8Array, { from, to }: Runs, value: number): Uint8Array {
  for (let i = 0; i < from.length; i++) data.fill(value, from[i], to[i]);
  return data;
}

export function areaOf({ from, to }: Runs): number {
  let area = 0;
  for (let i = 0; i < from.length; i++) area += (to[i] ?? 0) - (from[i] ?? 0);
  return area;
}

/** Of the outermost pixels; undefined for an empty mask. */
export function edgesOf({ from, to, width }: Runs) {
  if (from.length === 0) return undefined;
  let [left, right] = [width, 0];
  for (let i = 0; i < from.length; i++) {
    left = Math.min(left, (from[i] ?? 0) % width);
    right = Math.max(right, ((to[i] ?? 1) - 1) % width);
  }
  return { left, top: Math.floor((from[0] ?? 0) / width), right, bottom: Math.floor((from.at(-1) ?? 0) / width) };
}

/** All that the mask is not. */
export function inverted(runs: Runs): Runs {
  const collected = collectRuns(runs);
  let at = 0;
  for (let i = 0; i < runs.from.length; i++) {
    collected.add(at, runs.from[i] ?? 0);
    at = runs.to[i] ?? 0;
  }
  collected.add(at, runs.width * runs.height);
  return collected.runs();
}

/** Where either is. */
export function united(a: Runs, b: Runs): Runs {
  const collected = collectRuns(a);
  let [i, j, done] = [0, 0, 0];
  while (i < a.from.length || j < b.from.length) {
    const isOfA = (a.from[i] ?? Infinity) <= (b.from[j] ?? Infinity);
    const [from = 0, to = 0] = isOfA ? [a.from[i], a.to[i]] : [b.from[j], b.to[j]];
    if (isOfA) i++;
    else j++;
    collected.add(Math.max(from, done), to);
    done = Math.max(done, to);
  }
  return collected.runs();
}
