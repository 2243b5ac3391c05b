// The short form of `bun run soak`: each kind of caller at least once, and no measure far from where it was.
import { expect, test } from "bun:test";
import { runSoak } from "./soak.ts";

test(
  "a mixed load is answered as it should be, adds up, and leaves neither descriptors nor threads nor memory behind",
  async () => {
    const seed = Number(process.env.FORECOURT_SOAK_SEED ?? Date.now() % 1_000_000);
    const report = await runSoak({ minutes: 0.5, seed, say: () => {} });
    expect(report.verdict).toEqual([]);
    expect(report.jobs).toBeGreaterThan(50);
    expect(report.loads).toBeGreaterThan(3);
    expect(report.latency.length).toBeGreaterThan(0);
    expect(Object.keys(report.measures).length).toBeGreaterThan(8);
  },
  { timeout: 300_000 },
);
