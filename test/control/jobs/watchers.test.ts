// Following jobs: what is held for a reader goes with the job's end or the reader's, however far it has read.
import { expect, test } from "bun:test";
import { createWatchers } from "../../../src/control/jobs/watchers.ts";
import { newJobId } from "../../../src/core/ids.ts";
import type { Job, JobEvent } from "../../../src/core/job.ts";
import { createJobBoard } from "../../support/job-board.ts";

const finished = { type: "finished", job: { status: "done" } as Job } satisfies JobEvent; // nobody looks into it
const started = { type: "queued", position: 0 } satisfies JobEvent;

function following(signal: AbortSignal = new AbortController().signal, replay: JobEvent[] = [started]) {
  const watchers = createWatchers();
  const id = newJobId();
  return { id, watchers, events: watchers.follow(id, () => replay, signal) };
}

test("a reader who asks no further once the job is finished leaves nothing behind", async () => {
  const { id, watchers, events } = following();
  expect((await events.next()).value).toEqual(started);
  expect(watchers.has(id)).toBe(true);
  watchers.emit(id, finished);
  expect((await events.next()).value).toEqual(finished);
  expect(watchers.has(id)).toBe(false);
});

test("nor does one who comes when it is over", async () => {
  const { id, watchers, events } = following(undefined, [finished]);
  expect((await events.next()).value).toEqual(finished);
  expect(watchers.has(id)).toBe(false);
});

test("nor one who leaves with events that it did not take", async () => {
  const left = new AbortController();
  const { id, watchers, events } = following(left.signal);
  expect((await events.next()).value).toEqual(started);
  watchers.emit(id, started);
  left.abort();
  expect(watchers.has(id)).toBe(false);
  expect((await events.next()).done).toBe(true);
});

test("for a slow reader no more is kept than a few parts that say all before them, and the latest; others all are", async () => {
  const { id, watchers, events } = following();
  expect((await events.next()).value).toEqual(started);
  const whole = (value: number) => ({ type: "partial", value, isWhole: true }) satisfies JobEvent;
  const part = (value: number) => ({ type: "partial", value }) satisfies JobEvent;
  for (let value = 0; value < 1000; value++) watchers.emit(id, whole(value));
  for (let value = 0; value < 100; value++) watchers.emit(id, part(value));
  watchers.emit(id, finished);
  const seen: JobEvent[] = [];
  for await (const event of events) seen.push(event);
  expect(seen.slice(0, 3)).toEqual([whole(0), whole(1), whole(2)]);
  expect(seen[63]).toEqual(whole(999));
  expect(seen.slice(64)).toEqual([...Array.from({ length: 100 }, (_, at) => part(at)), finished]);
});

test("who follows a job to its end and asks no further waits for it no longer", async () => {
  const { jobs, work, ledger, runner, submit } = createJobBoard();
  const { id } = await submit();
  const events = jobs.attend(id, new AbortController().signal);
  expect((await events.next()).value).toMatchObject({ type: "queued" });
  expect([...ledger.ends.waitedFor()]).toEqual([id]);
  work.claim(id, { runner, loadMs: 0 });
  work.finish(id, { output: {}, units: { requests: 1 }, device: "cpu" });
  for (let type = ""; type !== "finished"; type = (await events.next()).value.type);
  expect([...ledger.ends.waitedFor()]).toEqual([]);
});
