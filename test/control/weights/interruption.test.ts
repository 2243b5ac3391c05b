// Downloads that are interrupted, and several at once: real processes, killed for real.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { milliseconds } from "../../../src/core/units.ts";
import { createFakeHub, type Fault, type FileRequest, noise, sha256 } from "../../support/fake-hub.ts";
import { namesBelow, PIECE, pullFrom, scratch } from "./setting.ts";

const graph = noise(24 * PIECE + 5, 1);
const repos = { "owner/name": { files: { "model.onnx": graph } } };
const source = { repo: "owner/name" };
const read = (...path: string[]): Uint8Array => new Uint8Array(readFileSync(join(...path)));

function startPull(order: { data: string; endpoint: string }) {
  const argument = {
    source,
    data: order.data,
    access: { endpoint: order.endpoint },
    tuning: { pieceBytes: PIECE, reserveBytes: 0 },
  };
  const script = join(import.meta.dir, "pull-child.ts");
  return Bun.spawn([process.execPath, script, JSON.stringify(argument)], { stdout: "pipe", stderr: "inherit" });
}

/** Polls, because a process that will be killed cannot be asked for an event. */
async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited 20 s for: ${what}`);
    await Bun.sleep(10);
  }
}

function journalledBytes(data: string): number {
  const path = join(data, "weights/models--owner--name/blobs", `${sha256(graph)}.part.json`);
  try {
    const { pieces }: { pieces: { done: number }[] } = JSON.parse(readFileSync(path, "utf8"));
    return pieces.reduce((sum, { done }) => sum + done, 0);
  } catch {
    return 0; // not written yet
  }
}

/** The first pieces arrive, then the line falls silent. */
const silentAfter =
  (requests: number) =>
  ({ earlier }: FileRequest): Fault | undefined =>
    earlier >= requests ? { type: "hang", after: 100 } : undefined;

describe("a process that is killed", () => {
  test("with -9 in the middle loses nothing that its journal holds, and its lock is free", async () => {
    using data = scratch();
    let isSilent = true;
    await using hub = createFakeHub({ repos, fault: (request) => (isSilent ? silentAfter(10)(request) : undefined) });
    const child = startPull({ data: data.path, endpoint: hub.endpoint });
    await until("ten pieces in the journal", () => journalledBytes(data.path) >= 10 * PIECE);
    child.kill("SIGKILL");
    expect(await child.exited).not.toBe(0);

    isSilent = false;
    const kept = journalledBytes(data.path);
    const before = hub.served();
    const { folder } = await pullFrom(hub, { source, data: data.path });
    expect(read(folder, "model.onnx")).toEqual(graph);
    expect(hub.served() - before).toBe(graph.byteLength - kept);
    expect(namesBelow(join(folder, "../../blobs"))).toEqual([sha256(graph)]);
  });

  test("while another waits for it hands its work on", async () => {
    using data = scratch();
    let isSilent = true;
    await using hub = createFakeHub({ repos, fault: (request) => (isSilent ? silentAfter(4)(request) : undefined) });
    const first = startPull({ data: data.path, endpoint: hub.endpoint });
    await until("four pieces in the journal", () => journalledBytes(data.path) >= 4 * PIECE);
    const record = { events: [], waits: [] };
    const second = pullFrom(hub, { source, data: data.path }, record);
    await until("the second to wait", () => JSON.stringify(record.events).includes("being fetched already"));
    isSilent = false;
    first.kill("SIGKILL");
    expect(read((await second).folder, "model.onnx")).toEqual(graph);
    await first.exited;
  });
});

test("two processes at once fetch each byte once and both get the folder", async () => {
  using data = scratch();
  await using hub = createFakeHub({ repos });
  const children = [1, 2].map(() => startPull({ data: data.path, endpoint: hub.endpoint }));
  const answers = await Promise.all(children.map((child) => new Response(child.stdout).json()));
  expect(answers[0].folder).toBe(answers[1].folder);
  expect(read(answers[0].folder, "model.onnx")).toEqual(graph);
  expect(hub.served()).toBe(graph.byteLength);
});

test("two pulls of one process fetch each byte once", async () => {
  using data = scratch();
  await using hub = createFakeHub({ repos });
  const pulls = [1, 2].map(() => pullFrom(hub, { source, data: data.path }));
  const [first, second] = await Promise.all(pulls);
  expect(first).toEqual(second ?? { folder: "none" });
  expect(hub.served()).toBe(graph.byteLength);
});

test("an aborted pull goes on where it stopped", async () => {
  using data = scratch();
  let isSilent = true;
  await using hub = createFakeHub({ repos, fault: (request) => (isSilent ? silentAfter(6)(request) : undefined) });
  const stop = new AbortController();
  const pulling = pullFrom(hub, {
    source,
    data: data.path,
    signal: stop.signal,
    tuning: { stall: milliseconds(60_000) },
  });
  await until("six pieces served", () => hub.files.length > 6 + 7);
  stop.abort(new Error("enough"));
  expect(await pulling.catch((error: Error) => error.message)).toBe("enough");
  isSilent = false;
  const kept = journalledBytes(data.path);
  expect(kept).toBeGreaterThan(0);
  const before = hub.served();
  const { folder } = await pullFrom(hub, { source, data: data.path });
  expect(read(folder, "model.onnx")).toEqual(graph);
  expect(hub.served() - before).toBe(graph.byteLength - kept);
});

test("a journal of another file, or a torn one, is not believed", async () => {
  using data = scratch();
  let isBroken = true;
  await using hub = createFakeHub({
    repos,
    fault: ({ to }) => (isBroken && to === graph.byteLength ? { type: "status", status: 404 } : undefined),
  });
  await pullFrom(hub, { source, data: data.path }).catch(() => {});
  isBroken = false;
  const journal = join(data.path, "weights/models--owner--name/blobs", `${sha256(graph)}.part.json`);
  await Bun.write(journal, readFileSync(journal, "utf8").slice(0, -20));
  const before = hub.served();
  const { folder } = await pullFrom(hub, { source, data: data.path });
  expect(read(folder, "model.onnx")).toEqual(graph);
  expect(hub.served() - before).toBe(graph.byteLength);
});
