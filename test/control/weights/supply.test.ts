// A server's supply of weights: fetched once, ahead or when asked, and said plainly when they cannot be had.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readModel } from "../../../src/control/catalog/read-model.ts";
import { presenceOf } from "../../../src/control/weights/presence.ts";
import { createSupply, type DownloadStep, type SupplyParts } from "../../../src/control/weights/supply.ts";
import type { Timers } from "../../../src/core/clock.ts";
import { createLog } from "../../../src/core/log.ts";
import { instant, milliseconds } from "../../../src/core/units.ts";
import type { Model } from "../../../src/engine/model.ts";
import { variantsOn } from "../../../src/engine/variants.ts";
import { COMMIT, createFakeHub, type Fault, type FileRequest, noise, sha256 } from "../../support/fake-hub.ts";
import { testModel } from "../../support/test-models.ts";
import { until } from "../../support/until.ts";
import { failureOf, scratch } from "./setting.ts";

const graph = noise(50_000);
const pinned = { path: "model.onnx", bytes: graph.byteLength, sha256: sha256(graph) };

const modelOf = (name: string): Model =>
  readModel(testModel(`test/${name}`, { source: { repo: `owner/${name}`, revision: COMMIT, files: [pinned] } }));

function box({ fault, ...parts }: { fault?: (request: FileRequest) => Fault | undefined } & Partial<SupplyParts> = {}) {
  const folder = scratch();
  const files = { "model.onnx": graph };
  const repos = { "owner/a": { files }, "owner/b": { files }, "owner/locked": { files, gated: true } };
  const hub = createFakeHub({ repos, ...(fault && { fault }) });
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: "info", format: "json", write: (line) => lines.push(JSON.parse(line)) });
  const data = folder.path;
  const access = { endpoint: hub.endpoint };
  const variantsOf = (model: Model) => variantsOn(model, ["cpu"]);
  const supply = createSupply({ data, access, limits: {}, when: "ahead", variantsOf, log, ...parts });
  return {
    ...{ hub, data, supply, lines },
    async [Symbol.asyncDispose]() {
      await supply.stop();
      await hub[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

describe("a model whose weights are missing", () => {
  test("waits for one download, however many ask", async () => {
    await using here = box();
    const model = modelOf("a");
    expect(await presenceOf({ model, data: here.data })).toMatchObject({ state: "absent", bytes: 0 });
    const folders = await Promise.all([here.supply.folderOf(model), here.supply.folderOf(model)]);
    expect(folders[0]).toBe(folders[1] ?? "");
    expect(existsSync(join(folders[0] ?? "", "model.onnx"))).toBe(true);
    expect(here.hub.files.length).toBe(1);
    expect(await presenceOf({ model, data: here.data })).toEqual({
      state: "complete",
      bytes: 50_000,
      wantedBytes: 50_000,
      folder: folders[0] ?? "",
    });
  });

  test("is told why they cannot be had, and may ask again", async () => {
    await using here = box();
    const failure = await failureOf(here.supply.folderOf(modelOf("locked")));
    expect(failure).toMatchObject({ code: "weights_missing", details: { reason: "gated" } });
    expect(failure.message).toStartWith("The weights of test/locked could not be fetched: owner/locked is a gated");
    const asked = here.hub.requests.length;
    await failureOf(here.supply.folderOf(modelOf("locked")));
    expect(here.hub.requests.length).toBeGreaterThan(asked);
  });

  test("is told at once for a minute that the Hub could not be reached, which takes minutes to find out", async () => {
    let now = 0;
    let waits = 0;
    const clock = { now: () => instant(now), steady: () => milliseconds(now) };
    const timers: Timers = {
      after(_, call) {
        waits++;
        const timer = setImmediate(call);
        return () => clearImmediate(timer);
      },
    };
    await using here = box({ access: { endpoint: "http://127.0.0.1:9" }, clock, timers });
    const ask = () => failureOf(here.supply.folderOf(modelOf("a")));
    const failure = await ask();
    expect(failure).toMatchObject({ code: "weights_missing", details: { reason: "unreachable" } });
    const waited = waits;
    expect(waited).toBeGreaterThan(5);
    now = 59_999;
    expect((await ask()).message).toBe(failure.message);
    expect(waits).toBe(waited);
    expect(await failureOf(here.supply.folderOf(modelOf("b")))).toMatchObject({ details: { reason: "unreachable" } });
    expect(waits).toBeGreaterThan(waited);
    const others = waits;
    now = 60_000;
    await ask();
    expect(waits).toBeGreaterThan(others);
  });

  test("is told what to run when the box may not fetch", async () => {
    await using offline = box({ access: { endpoint: "http://127.0.0.1:9", isOffline: true } });
    const failure = await failureOf(offline.supply.folderOf(modelOf("a")));
    expect(failure).toMatchObject({ code: "weights_missing", details: { reason: "offline" } });
    expect(failure.message).toContain("hub.offline is set. Run `forecourt models pull test/a` with a network");

    await using never = box({ when: "never" });
    expect((await failureOf(never.supply.folderOf(modelOf("a")))).message).toContain("weights.fetch is never");
    expect(never.hub.requests).toEqual([]);
  });
});

describe("ahead of any request", () => {
  test("models are fetched in their order, past one that fails", async () => {
    await using here = box();
    const models = [modelOf("locked"), modelOf("b"), modelOf("a")];
    here.supply.fetchAhead(models);
    for (const name of ["b", "a"]) await here.supply.folderOf(modelOf(name));
    expect(here.hub.files.map(({ repo }) => repo).sort()).toEqual(["owner/a", "owner/b"]);
    const warnings = () => here.lines.filter(({ level }) => level === "warn");
    await until(() => warnings().length > 0);
    expect(warnings()).toMatchObject([{ model: "test/locked", reason: expect.stringContaining("gated") }]);
  });

  test("nothing is fetched when the settings say asked", async () => {
    await using here = box({ when: "asked" });
    here.supply.fetchAhead([modelOf("a")]);
    await here.supply.folderOf(modelOf("b"));
    expect(here.hub.files.map(({ repo }) => repo)).toEqual(["owner/b"]);
  });
});

test("a download can be watched to its end; without one there is nothing to watch", async () => {
  const asked = Promise.withResolvers<void>();
  await using here = box({ fault: () => void asked.resolve() });
  const folder = here.supply.folderOf(modelOf("a"));
  await asked.promise;
  const steps: DownloadStep[] = [];
  for await (const step of here.supply.watch(modelOf("a"), AbortSignal.timeout(60_000))) steps.push(step);
  expect(steps[0]).toMatchObject({ of: 50_000, files: [{ path: "model.onnx", of: 50_000 }] });
  await folder;
  for await (const step of here.supply.watch(modelOf("b"), AbortSignal.timeout(60_000))) throw new Error(`${step.at}`);
});

test("all downloads are told, with what they wait for", async () => {
  const hung = Promise.withResolvers<void>();
  await using here = box({
    fault({ repo }) {
      if (repo === "owner/b") return { type: "status", status: 503 };
      hung.resolve();
      return { type: "hang", after: 10 };
    },
  });
  expect(here.supply.downloads()).toEqual([]);
  const folders = ["a", "b"].map((name) => failureOf(here.supply.folderOf(modelOf(name))));
  await hung.promise;
  await until(() => here.supply.downloads()[1]?.notice !== undefined);
  expect(here.supply.downloads()).toEqual([
    { model: "test/a", at: expect.any(Number), of: 50_000 },
    { model: "test/b", at: 0, of: 50_000, notice: expect.stringMatching(/503.* Trying again in \d+ s\./) },
  ]);
  await here.supply.stop();
  await Promise.all(folders);
  expect(here.supply.downloads()).toEqual([]);
});

test("a stop ends a download that hangs, and what waits for it", async () => {
  const asked = Promise.withResolvers<void>();
  await using here = box({
    fault() {
      asked.resolve();
      return { type: "hang", after: 10 };
    },
  });
  const folder = failureOf(here.supply.folderOf(modelOf("a")));
  await asked.promise;
  await here.supply.stop();
  expect((await folder).code).toBe("unavailable");
  expect((await failureOf(here.supply.folderOf(modelOf("b")))).code).toBe("unavailable");
});
