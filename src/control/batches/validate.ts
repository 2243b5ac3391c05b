// The file of a batch, read line by line before any of it is carried out: all is well, or the batch fails with what is wrong.
import type { Database } from "../database/open.ts";
import type { Uploads } from "../storage/uploads.ts";
import { type Batch, type BatchFace, batchOf, type LineProblem } from "./batch.ts";
import type { BatchStore, LineRow } from "./batch-store.ts";
import type { Holding } from "./holding.ts";
import { readLines } from "./read-lines.ts";

/** OpenAI's own bound. */
const MOST_LINES = 50_000;
/** Of all that is wrong; then no more is read. */
const MOST_PROBLEMS = 20;
/** Between two of these the server does its other work. */
const LINES_AT_ONCE = 250;

type Parts = {
  store: BatchStore;
  database: Database;
  uploads: Pick<Uploads, "ofToken">;
  holding: Holding;
  /** Of a line. */
  maxBytes: number;
};

type Found = { rows: number; model: string | null; problems: LineProblem[] };

/** Leaves the lines on record; of one that was begun before, those are read anew. Throws when `signal` comes first. */
export async function validate(parts: Parts, batch: Batch, face: BatchFace, signal: AbortSignal): Promise<Found> {
  await parts.holding.removeLines(batch);
  const file = parts.uploads.ofToken(batch.input);
  if (!file) return failed("file_not_found", "The input file was deleted before it was read.");
  const found: Found = { rows: 0, model: null, problems: [] };
  const known = new Set<string>();
  let waiting: LineRow[] = [];
  const flush = async () => {
    parts.database.write(() => parts.holding.insertLines(batch, waiting));
    waiting = [];
    await parts.database.committed();
    signal.throwIfAborted();
  };
  for await (const line of readLines(await file.read(), parts.maxBytes)) {
    const problem = (message: string, param: string | null = null) =>
      found.problems.push({ code: "invalid_json_line", message, line: line.number, param });
    const read = "text" in line ? face.read(line.text, batch) : tooLong(parts.maxBytes);
    if ("message" in read) problem(read.message, read.param);
    else if (known.has(read.customId))
      problem(`The custom_id ${read.customId.slice(0, 100)} is another line's`, "custom_id");
    else {
      known.add(read.customId);
      found.model ??= read.model;
      const { number, start, end } = line;
      waiting.push({
        batch: batch.id,
        line: number,
        customId: read.customId,
        start,
        end,
        isDone: null,
        result: null,
        bytes: 0,
      });
      found.rows++;
    }
    if (found.rows > MOST_LINES) return failed("too_many_requests", `A batch has at most ${MOST_LINES} requests.`);
    if (found.problems.length === MOST_PROBLEMS) return found;
    if (waiting.length === LINES_AT_ONCE) await flush();
  }
  await flush();
  return found.rows + found.problems.length > 0 ? found : failed("empty_file", "The input file has no requests.");
}

/** As a whole. */
export const failed = (code: string, message: string): Found => ({
  ...{ rows: 0, model: null },
  problems: [{ code, message, line: null, param: null }],
});

const tooLong = (most: number) => ({ message: `The line is longer than the ${most} bytes of a request`, param: null });

/** As it is on record now. */
export const current = ({ store }: Pick<Parts, "store">, { id }: Pick<Batch, "id">): Batch | undefined => {
  const row = store.find(id);
  return row && batchOf(row);
};
