// Rows of several jobs computed in common passes: each job ends as soon as its own rows are done.
import { invariant } from "../../core/errors.ts";

/** Something to compute: `kind` decides what may share a pass, `length` what it costs there. */
export type Row = { kind: string; length: number };

/** Tokens of a pass, padding included: enough to use every core, and a few hundred MB of attention at BERT's longest. */
const MOST_TOKENS = 4096;

export type Together<Each extends Row, Result> = {
  /** Of each job, at least one. */
  jobs: readonly (readonly Each[])[];
  /** Rows of one kind. */
  compute(pass: readonly Each[]): Promise<readonly Result[]>;
  signal: AbortSignal;
};

/** `results` in the order of the job's rows, when all are there. */
export type Progress<Result> = { index: number; at: number; of: number; results?: Result[] };

export async function* computeTogether<Each extends Row, Result>({
  jobs,
  compute,
  signal,
}: Together<Each, Result>): AsyncGenerator<Progress<Result>> {
  const all = jobs.flatMap((rows, index) => rows.map((row, at) => ({ row, index, at })));
  const results = jobs.map(() => new Map<number, Result>());
  for (const pass of passesOf(all)) {
    signal.throwIfAborted();
    const made = await compute(pass.map(({ row }) => row));
    for (const [i, { index, at }] of pass.entries()) {
      const result = made[i];
      invariant(result !== undefined, "a pass gives a result for each of its rows");
      results[index]?.set(at, result);
    }
    for (const index of new Set(pass.map(({ index }) => index))) {
      const there = results[index] ?? new Map<number, Result>();
      const of = jobs[index]?.length ?? 0;
      const isDone = there.size === of;
      yield { index, at: there.size, of, ...(isDone && { results: inOrder(there) }) };
    }
  }
}

const inOrder = <Result>(results: ReadonlyMap<number, Result>) =>
  [...results].sort(([a], [b]) => a - b).map(([, result]) => result);

/** Rows of like length side by side, so that little is filled up; the longest first. */
function passesOf<Each extends { row: Row }>(all: readonly Each[]): Each[][] {
  const sorted = all.toSorted((a, b) =>
    a.row.kind < b.row.kind ? -1 : a.row.kind > b.row.kind ? 1 : b.row.length - a.row.length,
  );
  const passes: Each[][] = [];
  for (const each of sorted) {
    const last = passes.at(-1);
    const head = last?.[0]?.row;
    const fits = head?.kind === each.row.kind && ((last?.length ?? 0) + 1) * head.length <= MOST_TOKENS;
    if (last && fits) last.push(each);
    else passes.push([each]);
  }
  return passes;
}
