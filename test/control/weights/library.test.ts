// What is on disk: listed, hashed again, removed.
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listWeights, removeWeights, type StoredWeights } from "../../../src/control/weights/library.ts";
import { discardDamaged, verifyWeights } from "../../../src/control/weights/verify.ts";
import { COMMIT, createFakeHub, type Fault, noise, sha256 } from "../../support/fake-hub.ts";
import { failureOf, namesBelow, PIECE, pullFrom, scratch } from "./setting.ts";

const graph = noise(4 * PIECE, 1);
const config = noise(300, 2);
const files = { "config.json": config, "onnx/model.onnx": graph };
const source = { repo: "owner/name" };

async function pulled(fault?: () => Fault | undefined) {
  const data = scratch();
  const hub = createFakeHub({ repos: { "owner/name": { files }, "owner/other": { files } }, ...(fault && { fault }) });
  return {
    data: data.path,
    hub,
    async [Symbol.asyncDispose]() {
      await hub[Symbol.asyncDispose]();
      data[Symbol.dispose]();
    },
  };
}

async function only(data: string): Promise<StoredWeights> {
  const [weights, ...others] = await listWeights({ data });
  expect(others).toEqual([]);
  if (!weights) throw new Error("nothing is listed");
  return weights;
}

describe("the list", () => {
  test("is empty on a new box", async () => {
    expect(await listWeights({ data: "/nonexistent", caches: ["/nonexistent/hub"] })).toEqual([]);
  });

  test("has what was pulled, with its branch, size and folder", async () => {
    await using box = await pulled();
    const { folder } = await pullFrom(box.hub, { source, data: box.data });
    expect(await only(box.data)).toMatchObject({
      title: "owner/name",
      commit: COMMIT,
      refs: ["main"],
      folder,
      state: "complete",
      bytes: graph.byteLength + 300,
      wantedBytes: graph.byteLength + 300,
      files: 2,
    });
  });

  test("has what is only begun as partial", async () => {
    await using box = await pulled(() => ({ type: "status", status: 404 }));
    await failureOf(pullFrom(box.hub, { source, data: box.data }));
    expect(await only(box.data)).toMatchObject({ state: "partial", bytes: 0, wantedBytes: graph.byteLength + 300 });
  });

  test("has others' caches as found", async () => {
    await using box = await pulled();
    await pullFrom(box.hub, { source, data: box.data });
    const cache = join(box.data, "weights");
    const [found] = await listWeights({ data: "/nonexistent", caches: [cache] });
    expect(found?.root).toBe(cache);
  });
});

describe("verify", () => {
  test("finds every file right after a pull", async () => {
    await using box = await pulled();
    await pullFrom(box.hub, { source, data: box.data });
    const results = await verifyWeights({ weights: await only(box.data) });
    expect(results).toEqual([
      { path: "config.json", bytes: 300, state: "right" },
      { path: "onnx/model.onnx", bytes: graph.byteLength, state: "right" },
    ]);
  });

  test("finds a turned bit and a lost file; discarding makes the next pull fetch just these", async () => {
    await using box = await pulled();
    const { folder } = await pullFrom(box.hub, { source, data: box.data });
    const blob = join(folder, "../../blobs", sha256(graph));
    const content = readFileSync(blob);
    content[1000] = (content[1000] ?? 0) ^ 4;
    writeFileSync(blob, content);
    const weights = await only(box.data);
    const results = await verifyWeights({ weights });
    expect(results.map(({ state }) => state)).toEqual(["right", "damaged"]);

    await discardDamaged({ data: box.data, weights, files: results });
    expect((await verifyWeights({ weights })).map(({ state }) => state)).toEqual(["right", "missing"]);
    const before = box.hub.served();
    await pullFrom(box.hub, { source, data: box.data });
    expect(box.hub.served() - before).toBe(graph.byteLength);
    expect((await verifyWeights({ weights })).every(({ state }) => state === "right")).toBe(true);
  });

  test("knows the content of a Hugging Face cache by its blobs' names", async () => {
    using root = scratch();
    const folder = join(root.path, "models--owner--name");
    const snapshot = join(folder, "snapshots", COMMIT);
    for (const each of [snapshot, join(folder, "blobs")]) mkdirSync(each, { recursive: true });
    writeFileSync(join(folder, "blobs", sha256(graph)), graph);
    symlinkSync(`../../blobs/${sha256(graph)}`, join(snapshot, "model.onnx"));
    writeFileSync(join(snapshot, "notes.txt"), "by hand");
    const [weights] = await listWeights({ data: "/nonexistent", caches: [root.path] });
    if (!weights) throw new Error("nothing is listed");
    expect(await verifyWeights({ weights })).toEqual([
      { path: "model.onnx", bytes: graph.byteLength, state: "right" },
      { path: "notes.txt", bytes: 7, state: "unknown" },
    ]);
  });

  test("stops when it is told to", async () => {
    await using box = await pulled();
    await pullFrom(box.hub, { source, data: box.data });
    const weights = await only(box.data);
    const signal = AbortSignal.abort(new Error("no more"));
    expect(await verifyWeights({ weights, signal }).catch((error: Error) => error.message)).toBe("no more");
  });
});

describe("removal", () => {
  test("of the only commit leaves nothing", async () => {
    await using box = await pulled();
    await pullFrom(box.hub, { source, data: box.data });
    const freed = await removeWeights({ data: box.data, weights: await only(box.data) });
    expect(freed).toBeGreaterThanOrEqual(graph.byteLength + 300);
    expect(await listWeights({ data: box.data })).toEqual([]);
    expect(existsSync(join(box.data, "weights/models--owner--name"))).toBe(false);
  });

  test("keeps what another commit needs", async () => {
    await using box = await pulled();
    const { folder } = await pullFrom(box.hub, { source, data: box.data });
    const repo = join(folder, "../..");
    const other = "f".repeat(40);
    mkdirSync(join(repo, "snapshots", other));
    symlinkSync(`../../blobs/${sha256(graph)}`, join(repo, "snapshots", other, "model.onnx"));
    const weights = (await listWeights({ data: box.data })).find(({ commit }) => commit === COMMIT);
    if (!weights) throw new Error("nothing is listed");
    await removeWeights({ data: box.data, weights });
    expect(namesBelow(join(repo, "blobs"))).toEqual([sha256(graph)]);
    expect((await only(box.data)).commit).toBe(other);
  });

  test("is refused for others' caches and while a pull is under way", async () => {
    await using box = await pulled();
    await pullFrom(box.hub, { source, data: box.data });
    const weights = await only(box.data);
    const ofOthers = await failureOf(removeWeights({ data: "/elsewhere", weights }));
    expect(ofOthers.code).toBe("bad_request");

    let isAsked = () => {};
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    await using slow = createFakeHub({
      repos: { "owner/name": { files: { ...files, "new.bin": noise(99) } } },
      fault: () => {
        isAsked();
        return { type: "hang", after: 1 };
      },
    });
    const stop = new AbortController();
    const pulling = pullFrom(slow, {
      source: { ...source, include: ["new.bin"] },
      data: box.data,
      signal: stop.signal,
    });
    await asked;
    expect((await failureOf(removeWeights({ data: box.data, weights }))).details).toEqual({ reason: "busy" });
    stop.abort(new Error("enough"));
    await pulling.catch(() => {});
  });
});
