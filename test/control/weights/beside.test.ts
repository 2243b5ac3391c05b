// Weights of several repositories: fetched as one, found in one folder, and each at a commit of its own.
import { describe, expect, test } from "bun:test";
import { existsSync, lstatSync, readFileSync, renameSync, statfsSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { readModel } from "../../../src/control/catalog/read-model.ts";
import { resolveWeights } from "../../../src/control/weights/embedded.ts";
import { listWeights, removeWeights } from "../../../src/control/weights/library.ts";
import { pinOf } from "../../../src/control/weights/pins.ts";
import { placesOf, presenceOf } from "../../../src/control/weights/presence.ts";
import type { PullEvent } from "../../../src/control/weights/progress.ts";
import { type ModelPull, pullModel } from "../../../src/control/weights/pull-model.ts";
import { storedOf } from "../../../src/control/weights/stored-of.ts";
import { createSupply } from "../../../src/control/weights/supply.ts";
import { discardDamaged, verifyWeights } from "../../../src/control/weights/verify.ts";
import { silentLog } from "../../../src/core/log.ts";
import { partsOf } from "../../../src/engine/sources.ts";
import { modelOn, variantsOn } from "../../../src/engine/variants.ts";
import { COMMIT, createFakeHub, noise, sha256 } from "../../support/fake-hub.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";
import {
  earFiles,
  earsSource,
  ownFiles,
  twoRepositories,
  twoSources,
  twoSourcesByDevice,
} from "../../support/two-sources.ts";
import { failureOf, namesBelow, scratch } from "./setting.ts";

const model = readModel(twoSources());
const WHOLE = [
  "config.json",
  "ears",
  "ears/config.json",
  "ears/onnx",
  "ears/onnx/model.onnx",
  "onnx",
  "onnx/model.onnx",
];

const pullTwo = (hub: { endpoint: string }, data: string, more: Partial<ModelPull> = {}) =>
  pullModel({ model, data, access: { endpoint: hub.endpoint }, ...more });

function expectWhole(folder: string): void {
  expect(namesBelow(folder)).toEqual(WHOLE);
  for (const path of ["config.json", "onnx/model.onnx"] as const) {
    expect(readFileSync(join(folder, path)).equals(ownFiles[path])).toBe(true);
    expect(readFileSync(join(folder, "ears", path)).equals(earFiles[path])).toBe(true);
  }
}

test("one pull brings all of them into one folder, tells them as one plan, and settles a commit of each", async () => {
  await using hub = twoRepositories();
  using box = scratch();
  const { path: data } = box;
  expect(await presenceOf({ model, data })).toMatchObject({ state: "absent", wantedBytes: 7090 });
  const events: PullEvent[] = [];
  const pulled = await pullTwo(hub, data, { onProgress: (event) => void events.push(event) });
  expect(pulled).toMatchObject({ commit: COMMIT, beside: { ears: { commit: COMMIT } } });
  expectWhole(pulled.folder);
  const plans = events.filter(({ type }) => type === "planned");
  const paths = ["config.json", "onnx/model.onnx", "ears/config.json", "ears/onnx/model.onnx"];
  expect(plans).toMatchObject([{ title: "acme/own, acme/ears", bytes: 7090, files: paths.map((path) => ({ path })) }]);
  const done = events.flatMap((event) => (event.type === "file" && event.state === "done" ? [event.path] : []));
  expect([...new Set(done)].sort()).toEqual(paths.sort());
  for (const part of partsOf(model)) expect(await pinOf(part, data)).toMatchObject({ commit: COMMIT });

  const presence = await presenceOf({ model, data });
  expect(presence).toMatchObject({ state: "complete", bytes: 7090, folder: pulled.folder, pin: { commit: COMMIT } });
  expect(presence.beside?.ears).toMatchObject({ state: "complete", bytes: 3050, pin: { repo: "acme/ears" } });
});

test("a second pull, and a start without a network, ask nothing and find the same folder", async () => {
  await using hub = twoRepositories();
  using box = scratch();
  const { folder } = await pullTwo(hub, box.path);
  const asked = hub.requests.length;
  expect((await pullTwo(hub, box.path)).folder).toBe(folder);
  expect(await resolveWeights({ model, data: box.path })).toBe(folder);
  expect(hub.requests.length).toBe(asked);
});

test("the data directory may be moved: links lead on, and the new place has its folder", async () => {
  await using hub = twoRepositories();
  using box = scratch();
  const old = join(box.path, "old");
  const { folder } = await pullTwo(hub, old);
  const moved = join(box.path, "moved");
  renameSync(old, moved);
  expectWhole(folder.replace(old, moved));
  expect(await resolveWeights({ model, data: moved })).toBe(folder.replace(old, moved));
});

test("where one of them cannot be had, the other stays for the next pull, and a runner gets neither", async () => {
  let isGone = true;
  await using hub = twoRepositories({
    fault: ({ repo }) => (isGone && repo === "acme/ears" ? { type: "status", status: 404 } : undefined),
  });
  using box = scratch();
  const { path: data } = box;
  expect((await failureOf(pullTwo(hub, data))).message).toContain("acme/ears");
  const presence = await presenceOf({ model, data });
  expect(presence).toMatchObject({ state: "partial", bytes: 4040, wantedBytes: 7090 });
  expect(presence.beside?.ears).toMatchObject({ state: "absent" });
  expect((await failureOf(resolveWeights({ model, data }))).details?.reason).toBe("offline");
  isGone = false;
  const before = hub.files.length;
  expectWhole((await pullTwo(hub, data)).folder);
  expect(new Set(hub.files.slice(before).map(({ repo }) => repo))).toEqual(new Set(["acme/ears"]));
});

test("a plan that fails for one repository lets no byte of the other be fetched", async () => {
  await using hub = twoRepositories();
  using box = scratch();
  const broken = readModel(twoSources({ beside: { ears: { source: { ...earsSource, repo: "acme/nowhere" } } } }));
  const failure = await failureOf(pullTwo(hub, box.path, { model: broken }));
  expect(failure.details?.reason).toBe("repository_not_found");
  expect(hub.files).toEqual([]);
});

test("the disk is asked for room for all of them before the first byte", async () => {
  const [first, second] = [noise(200_000, 1), noise(900_000, 2)];
  const repos = { "acme/own": { files: { "a.bin": first } }, "acme/ears": { files: { "b.bin": second } } };
  await using hub = createFakeHub({ repos });
  using box = scratch();
  // Of its own: on a shared one others take and give room in between.
  const disk = mountSmallDisk(join(box.path, "disk"), 8);
  using cleanup = new DisposableStack();
  cleanup.defer(disk.unmount);
  const { bavail, bsize } = statfsSync(disk.path);
  // Room for the first by far, and for both by no means: a reserve that leaves what lies between.
  const room = first.byteLength + second.byteLength / 2;
  const both = readModel(
    twoSources({
      source: { repo: "acme/own", revision: "main", include: ["*.bin"], bytes: 1 },
      beside: { ears: { source: { ...earsSource, include: ["*.bin"] } } },
    }),
  );
  const failure = await failureOf(
    pullTwo(hub, disk.path, { model: both, tuning: { reserveBytes: bavail * bsize - room } }),
  );
  expect(failure.details).toMatchObject({ reason: "disk_full", needed: first.byteLength + second.byteLength });
  expect(hub.files).toEqual([]);
});

test("many who ask at once wait for one download", async () => {
  await using hub = twoRepositories();
  using box = scratch();
  const supply = createSupply({
    ...{ data: box.path, access: { endpoint: hub.endpoint }, limits: {}, when: "asked", log: silentLog },
    variantsOf: (given) => [given],
  });
  const folders = await Promise.all(Array.from({ length: 8 }, () => supply.folderOf(model)));
  expect(new Set(folders).size).toBe(1);
  expectWhole(folders[0] ?? "");
  const names = hub.files.map(({ repo, path }) => `${repo} ${path}`);
  expect(new Set(names).size).toBe(names.length);
  expect(await supply.presenceOf(model)).toMatchObject({ state: "complete", bytes: 7090 });
});

describe("files of one path", () => {
  const pullCollision = async (files: Record<string, Uint8Array>) => {
    await using hub = createFakeHub({ repos: { "acme/own": { files }, "acme/ears": { files: earFiles } } });
    using box = scratch();
    const source = { repo: "acme/own", revision: "main", include: ["**"], bytes: 1 };
    const failure = await failureOf(pullTwo(hub, box.path, { model: readModel(twoSources({ source })) }));
    expect(hub.files).toEqual([]);
    return failure;
  };
  test("of two sources are refused before anything is fetched", async () => {
    const failure = await pullCollision({ "ears/config.json": noise(5) });
    expect(failure.details).toEqual({ reason: "collision", path: "ears/config.json" });
  });
  test("so is a file where the folder of another source would be", async () => {
    expect((await pullCollision({ ears: noise(5) })).details?.path).toBe("ears");
  });
});

test("a folder of this machine and a repository make one model", async () => {
  await using hub = twoRepositories();
  using box = scratch();
  const folder = join(box.path, "own");
  for (const path of ["config.json", "onnx/model.onnx"] as const) await Bun.write(join(folder, path), ownFiles[path]);
  const mixed = readModel(twoSources({ source: { path: folder } }));
  const data = join(box.path, "data");
  const pulled = await pullTwo(hub, data, { model: mixed });
  expectWhole(pulled.folder);
  expect(pulled.commit).toBeUndefined();
  expect(await resolveWeights({ model: mixed, data })).toBe(pulled.folder);
  expect(await presenceOf({ model: mixed, data })).toMatchObject({ state: "complete", bytes: 7090 });
});

test("what a cache of Hugging Face's tools has is used where it lies; the rest is fetched", async () => {
  await using hub = twoRepositories();
  using box = scratch();
  const [cache, data] = [join(box.path, "hub"), join(box.path, "data")];
  const { folder } = await pullTwo(hub, join(box.path, "other"));
  await cp(join(folder, "../../models--acme--ears"), join(cache, "models--acme--ears"), {
    ...{ recursive: true, verbatimSymlinks: true },
  });
  const before = hub.files.length;
  const access = { endpoint: hub.endpoint, caches: [cache] };
  const pulled = await pullTwo(hub, data, { access });
  expectWhole(pulled.folder);
  expect(hub.files.slice(before).map(({ repo }) => repo)).toEqual(["acme/own", "acme/own"]);
  expect(existsSync(join(data, "weights/models--acme--ears/blobs"))).toBe(false);
  expect(await presenceOf({ model, data, caches: [cache] })).toMatchObject({
    state: "complete",
    folder: pulled.folder,
  });
  expect(await resolveWeights({ model, data, caches: [cache] })).toBe(pulled.folder);
});

test("each variant finds its files of each source in one folder", async () => {
  const files = { ...earFiles, "onnx/half.onnx": noise(1500, 9) };
  await using hub = createFakeHub({ repos: { "acme/own": { files: ownFiles }, "acme/ears": { files } } });
  using box = scratch();
  const both = readModel(twoSourcesByDevice());
  const pullOn = (kind: "cpu" | "cuda") => pullTwo(hub, box.path, { model: modelOn(both, kind) });
  const { folder } = await pullOn("cpu");
  expectWhole(folder);
  expect(await presenceOf({ model: modelOn(both, "cuda"), data: box.path })).toMatchObject({
    ...{ state: "partial", bytes: 4040, wantedBytes: 5590 },
  });
  expect((await pullOn("cuda")).folder).toBe(folder);
  expect(namesBelow(join(folder, "ears/onnx"))).toEqual(["half.onnx", "model.onnx"]);
  for (const variant of variantsOn(both, ["cpu", "cuda"]))
    expect(await resolveWeights({ model: variant, data: box.path })).toBe(folder);
});

test("verified, mended and removed like any weights; the folder of links goes with them", async () => {
  await using hub = twoRepositories();
  using box = scratch();
  const { path: data } = box;
  const { folder } = await pullTwo(hub, data);
  expect((await placesOf(model, data)).map((place) => place.folder)).toEqual(["", "ears"]);
  const stored = async () => await storedOf(model, await listWeights({ data }), data);
  const states = async () =>
    await Promise.all(
      (await stored()).map(async ({ weights }) => (await verifyWeights({ weights })).map(({ state }) => state)),
    );
  expect(await states()).toEqual([
    ["right", "right"],
    ["right", "right"],
  ]);
  const blob = join(data, "weights/models--acme--ears/blobs", sha256(earFiles["onnx/model.onnx"]));
  await Bun.write(blob, noise(3000, 77));
  expect((await states())[1]?.toSorted()).toEqual(["damaged", "right"]);
  for (const { weights } of await stored())
    await discardDamaged({ data, weights, files: await verifyWeights({ weights }) });
  expectWhole((await pullTwo(hub, data)).folder);

  const [own, ears] = await stored();
  if (!own || !ears) throw new Error("both are stored");
  expect(await removeWeights({ data, weights: ears.weights })).toBeGreaterThan(0);
  expect(existsSync(folder)).toBe(false);
  expect(lstatSync(own.weights.folder).isDirectory()).toBe(true);
  expect(await presenceOf({ model, data })).toMatchObject({ state: "partial", bytes: 4040 });
  expectWhole((await pullTwo(hub, data)).folder);
});
