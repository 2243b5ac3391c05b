// The parts of `forecourt bench`, with few rounds, on real processes: that they measure, not how fast.
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { measureOverhead } from "../../src/cli/bench/overhead.ts";
import { startSelf, startServer } from "../../src/cli/bench/own-process.ts";
import { measureStartUp } from "../../src/cli/bench/start-up.ts";
import { median, percentile, trimmedMean } from "../../src/cli/bench/statistics.ts";
import { measureSteps } from "../../src/cli/bench/steps.ts";
import { measureSwapIn } from "../../src/cli/bench/swap-in.ts";
import { measureThroughput } from "../../src/cli/bench/throughput.ts";
import { createCatalog } from "../../src/control/catalog/catalog.ts";
import { parse } from "../../src/core/schema.ts";
import { newFolder, removeFolders } from "./command.ts";
import { dataWithTinyModel, tinyWeights } from "./tiny-model.ts";

afterAll(removeFolders);

test("percentiles are samples, by nearest rank", () => {
  const samples = [5, 1, 4, 2, 3];
  expect([0, 0.2, 0.5, 0.99, 1].map((share) => percentile(samples, share))).toEqual([1, 1, 3, 5, 5]);
  expect([[2, 1], [3, 1, 2], [4, 1, 3, 2], [7]].map(median)).toEqual([1.5, 2, 2.5, 7]);
  expect(() => median([])).toThrow("no samples");
});

test("a trimmed mean leaves out the extremes, and nothing of few samples", () => {
  expect(trimmedMean([1000, 1, 2, 1, 2, 1, 2, 1, 2, -1000])).toBe(1.5);
  expect(trimmedMean([1, 2])).toBe(1.5);
  expect(() => trimmedMean([])).toThrow("no samples");
});

test("overhead, throughput and steps are measured on a running server", async () => {
  const data = dataWithTinyModel();
  await using server = await startServer(data);
  await using bare = startSelf(["bench", "--serve-bare"], "stdout");
  const origin = (await bare.nextLine()) ?? "";

  const overhead = await measureOverhead({ bare: { origin, key: "" }, full: server, rounds: 1, requests: 10 });
  expect(overhead.bareMs.p50).toBeGreaterThan(0);
  expect(overhead.fullMs.p50).toBeGreaterThan(overhead.bareMs.p50);
  expect(overhead.ratio).toBeGreaterThan(1);
  expect(overhead.differenceMs - overhead.withoutRunnerMs).toBeCloseTo(overhead.runnerMs, 1);

  expect(await measureThroughput(server, { clients: 4, jobs: 12 })).toBeGreaterThan(1);

  const entry = createCatalog({ data }).find("test/tiny");
  if (!entry) throw new Error("the tiny model is not in the catalogue");
  const steps = await measureSteps({
    server,
    bare: {
      model: entry.model,
      input: parse(entry.input, { prompt: "a red circle", seed: 1 }),
      weights: tinyWeights,
      runtime: join(data, "runtime"),
      threads: 1,
    },
    rounds: 1,
    steps: 100,
  });
  expect(steps.sessionMs).toBeGreaterThan(0);
  expect(steps.overhead).toBeCloseTo(steps.stepMs / steps.sessionMs - 1, 9);
}, 60_000);

test("start-up is measured from exec to ready and on to the first picture", async () => {
  const { readyMs, firstPictureMs, idleBytes } = await measureStartUp(dataWithTinyModel(), {
    rounds: 1,
    model: "test/tiny",
  });
  expect(firstPictureMs).toBeGreaterThan(readyMs);
  expect(idleBytes).toBeGreaterThan(20e6);
}, 60_000);

test("a server that can't start is told with its own words", async () => {
  const data = newFolder();
  writeFileSync(join(data, "appliance.yaml"), "prot: 1\n");
  await expect(startServer(data)).rejects.toThrow("there is no setting prot");
});

test("a swap-in is measured against reading the same files cold", async () => {
  const measured = await measureSwapIn({ data: newFolder(), megabytes: 64, rounds: 1 });
  expect(measured.bytes).toBeGreaterThan(64_000_000);
  for (const time of [measured.readMs, measured.coldMs, measured.warmMs, measured.warmWithoutSpareMs])
    expect(time).toBeGreaterThan(0);
  expect(measured.coldLoadMs).toBeGreaterThan(0);
  expect(measured.coldLoadMs).toBeLessThanOrEqual(measured.coldMs + 1);
  expect(measured.ofReadRate).toBeCloseTo(measured.readMs / measured.coldMs, 6);
}, 180_000);
