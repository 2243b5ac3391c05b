// Batches on a whole box with a database on disk: limits that pass are waited for, a day is a day, nothing is lost or paid twice
// over a stop, and what they hold of their key's room is given back.
import { expect, test } from "bun:test";
import type { Appliance } from "../../../src/control/appliance.ts";
import type { KeyId } from "../../../src/core/ids.ts";
import { instant, MIB } from "../../../src/core/units.ts";
import { batchBench, begun, isOver, keyOf, read, until } from "../../support/batch-bench.ts";
import { createFakeFleet } from "../../support/fake-fleet.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const prompts = (many: number) => Array.from({ length: many }, (_, at) => `p${at}`);
const jobsIn = (box: Appliance) => box.database.sqlite.query("select count(*) from job").values()[0]?.[0];
const roomOf = (box: Appliance, key: KeyId) =>
  box.database.sqlite.query("select bytes from room where part = 'batches' and key = ?").values(key)[0]?.[0];

test("a rate is waited for, and no line fails for it", async () => {
  const { clock, open } = batchBench();
  await using box = await open();
  const { id: key } = keyOf(box, { requestsPerMinute: 2 });
  const { id } = await begun(box, key, prompts(7));
  const started = clock.now();
  await until(isOver(box, id), () => clock.advance(1000));
  expect(box.batches.find(id)).toMatchObject({ status: "completed", total: 7, done: 7, failed: 0 });
  expect(clock.now() - started).toBeGreaterThan(2 * MINUTE);
  expect(await read(box, box.batches.find(id)?.output)).toEqual(prompts(7).map((each) => `${each} done`));
});

test("what has not begun when a day is over has expired; what was done is told", async () => {
  const { clock, open } = batchBench();
  await using box = await open();
  const { id: key } = keyOf(box, { requestsPerMinute: 1 });
  const { id } = await begun(box, key, prompts(3));
  await until(() => box.batches.find(id)?.done === 1);
  clock.advance(DAY);
  await until(isOver(box, id));
  const { status, done, output, errors, endedAt, expiresAt } = box.batches.find(id) ?? expect.unreachable();
  expect([status, (endedAt ?? 0) >= expiresAt]).toEqual(["expired", true]);
  expect(await read(box, output)).toHaveLength(done);
  const expired = await read(box, errors);
  expect(expired).toHaveLength(3 - done);
  for (const line of expired) expect(line).toMatch(/^p\d batch_expired$/);
});

test("a stop takes nothing with it: the next process goes on, with the jobs that there are", async () => {
  const { clock, open } = batchBench();
  let id: string;
  let key: KeyId;
  {
    await using box = await open(createFakeFleet({ clock, automatic: false }));
    ({ id: key } = keyOf(box));
    ({ id } = await begun(box, key, prompts(40)));
    await until(() => jobsIn(box) === 16);
    expect(box.batches.find(id)).toMatchObject({ status: "in_progress", total: 40, done: 0 });
  }
  await using box = await open();
  await until(isOver(box, id), () => clock.advance(100));
  expect(box.batches.find(id)).toMatchObject({ status: "completed", total: 40, done: 40, failed: 0 });
  expect(jobsIn(box)).toBe(40);
  expect(await read(box, box.batches.find(id)?.output)).toEqual(prompts(40).map((each) => `${each} done`));
});

test("one that is cancelled ends what waits, and what runs", async () => {
  const { clock, open } = batchBench();
  await using box = await open(createFakeFleet({ clock, automatic: false }));
  const { id: key } = keyOf(box);
  const { id } = await begun(box, key, prompts(40));
  await until(() => jobsIn(box) === 16);
  expect((await box.batches.cancel(id)).status).toBe("cancelling");
  await until(isOver(box, id), () => clock.advance(100));
  expect(box.batches.find(id)).toMatchObject({ status: "cancelled", done: 0, failed: 0, output: null, errors: null });
  expect(jobsIn(box)).toBe(16);
  await expect(box.batches.cancel(id)).rejects.toMatchObject({ code: "bad_request" });
});

test("a key that is revoked and a file that is deleted are told line by line", async () => {
  const { clock, open } = batchBench();
  await using box = await open();
  for (const end of ["invalid_api_key", "file_not_found"] as const) {
    const { id: key } = keyOf(box, { requestsPerMinute: 1 });
    const { id, token } = await begun(box, key, prompts(30));
    await until(() => box.batches.find(id)?.done === 1);
    if (end === "invalid_api_key") box.keys.revoke(key);
    else await box.uploads.remove(token);
    await until(isOver(box, id), () => clock.advance(1000));
    const { status, errors, done } = box.batches.find(id) ?? expect.unreachable();
    const refused = (await read(box, errors)).filter((line) => line.endsWith(end)).length;
    // Sixteen were read already, the rest of them waits for the rate; so may be the next one of whom was done.
    expect([13, 14]).toContain(refused);
    // The key of those that were read is looked at once more.
    expect([status, done]).toEqual(["completed", end === "invalid_api_key" ? 1 : 30 - refused]);
  }
});

test("what a batch holds of its key's room is given back at its end, and with it", async () => {
  const { clock, open } = batchBench({ roomMb: 1 });
  await using box = await open();
  const { id: key } = keyOf(box);
  const { id } = await begun(box, key, prompts(300));
  await until(isOver(box, id), () => clock.advance(100));
  await until(() => Number(roomOf(box, key)) < 2000);
  expect(Number(roomOf(box, key))).toBeGreaterThan(1000);
  await box.batches.removeBefore(instant(clock.now() + 1));
  expect([box.batches.find(id), roomOf(box, key)]).toEqual([undefined, 0]);
  const { id: many } = await begun(box, key, prompts(2000));
  await until(isOver(box, many), () => clock.advance(100));
  expect(box.batches.find(many)).toMatchObject({ status: "failed", problems: [{ code: "room_full" }] });
});

test("files that find no room are written once there is some, and nothing is lost", async () => {
  const { clock, open } = batchBench({ roomMb: 1 });
  await using box = await open();
  const { id: key } = keyOf(box);
  const filling = await box.uploads.begin({ key, name: "large", contentType: "text/plain" });
  const { id } = await begun(box, key, prompts(3));
  await box.uploads.write(filling.secret, new Blob([new Uint8Array(MIB - 34_000)]).stream());
  await until(
    () => box.batches.find(id)?.status === "finalizing" || isOver(box, id)(),
    () => clock.advance(100),
  );
  for (let minute = 0; minute < 3; minute++) {
    clock.advance(MINUTE);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(box.batches.find(id)).toMatchObject({ status: "finalizing", done: 3, endedAt: null });
  await box.uploads.remove(filling.token);
  await until(isOver(box, id), () => clock.advance(MINUTE));
  expect(await read(box, box.batches.find(id)?.output)).toHaveLength(3);
});

test("a key has a hundred batches that have not ended, at most", async () => {
  const { open } = batchBench();
  await using box = await open(createFakeFleet({ automatic: false }));
  const { id: key } = keyOf(box);
  const { token } = await begun(box, key, ["p0"]);
  const more = () => box.batches.create({ key, endpoint: "echo", input: token, metadata: {}, origin: "http://box" });
  await Promise.all(Array.from({ length: 99 }, more));
  await expect(more()).rejects.toMatchObject({ code: "queue_full" });
});
