// Looking back: jobs that are over, in pages, and the removal of what they took and gave.
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type FileToken, type JobId } from "../../core/ids.ts";
import { isFinished, type Job } from "../../core/job.ts";
import type { GroupCommit } from "../database/group-commit.ts";
import type { Ended, HistoryPage, HistoryStore, Payloads } from "./history-store.ts";
import type { JobRoom } from "./job-room-store.ts";
import { seenJob } from "./job-row.ts";

export type JobHistory = {
  /**
   * Latest or longest first, and `after` by that. Fewer than the limit where their payloads are large; what is not read of a job is
   * empty. For the longest all of the span is looked through, a part at a time.
   */
  page(
    page: HistoryPage & { by: "ended" | "duration"; payloads: Payloads },
  ): Promise<{ jobs: Job[]; hasMore: boolean }>;
  /** As `page` without what it reads, which `read` does. */
  ids(page: HistoryPage): JobId[];
  /** Of these the first ones, as many as payloads fit into memory; in the same order. */
  read(ids: JobId[], payloads: Payloads): Job[];
  /**
   * Removes input, output, log and output files; that the job was, how long it took and what it cost stays. Resolves when
   * it is on disk. Throws `not_found`, and `bad_request` for a job that is not over.
   */
  erase(id: JobId): Promise<void>;
};

export type JobHistoryParts = {
  store: HistoryStore;
  writes: Pick<GroupCommit, "write" | "committed">;
  room: Pick<JobRoom, "freed">;
  findJob(id: JobId): Job | undefined;
  /** Inside a write. */
  forgetFiles(token: FileToken): void;
  clock: Clock;
};

export function createJobHistory({ store, writes, room, findJob, forgetFiles, clock }: JobHistoryParts): JobHistory {
  const read: JobHistory["read"] = (ids, payloads) => store.read(ids, payloads).map((row) => seenJob(row, clock.now()));
  return {
    async page({ payloads, limit, by, ...page }) {
      const asked = { ...page, limit: limit + 1 };
      const ids = by === "ended" ? store.page(asked) : await longest(store, asked);
      const jobs = read(ids.slice(0, limit), payloads);
      return { jobs, hasMore: ids.length > jobs.length };
    },
    ids: store.page,
    read,
    async erase(id) {
      const job = findJob(id);
      if (!job) throw new ForecourtError("not_found", `There is no request ${id}.`);
      if (!isFinished(job))
        throw new ForecourtError("bad_request", `The request ${id} is not over; what it holds can be deleted then.`);
      writes.write(() => {
        room.freed([asId(id)], "all");
        store.erase(asId(id), job.status === "failed" ? withoutInput(job.failure) : undefined);
        forgetFiles(job.files);
      });
      await writes.committed();
    },
  };
}

/** Some three milliseconds; between so many the server does its other work. */
const ENDED_AT_ONCE = 2_000;

async function longest(store: HistoryStore, { after, limit, ...wanted }: HistoryPage): Promise<JobId[]> {
  const isBelow = ({ duration, id }: Ended) =>
    after === undefined || duration < after.value || (duration === after.value && id < after.id);
  let best: Ended[] = [];
  for (let behind: Ended | undefined; ; ) {
    const part = store.ended({ ...wanted, limit: ENDED_AT_ONCE, ...(behind && { behind }) });
    best = [...best, ...part.filter(isBelow)].sort(byDuration).slice(0, limit);
    behind = part.at(-1);
    if (part.length < ENDED_AT_ONCE) return best.map(({ id }) => id);
    await new Promise(setImmediate);
  }
}

const byDuration = (a: Ended, b: Ended) => b.duration - a.duration || (a.id < b.id ? 1 : -1);

/** Problems repeat the wrong values. */
const withoutInput = ({ problems, ...failure }: Extract<Job, { status: "failed" }>["failure"]) => ({
  ...failure,
  ...(problems && { problems: problems.map(({ input: _, ...problem }) => problem) }),
});
