// The short form of `bun run chaos`: every kind of fault that this machine allows, once, under load.
import { expect, test } from "bun:test";
import { runChaos } from "./chaos.ts";

test(
  "under every kind of fault nothing that was accepted is lost, billed twice, beyond a budget or untold",
  async () => {
    const seed = Number(process.env.FORECOURT_CHAOS_SEED ?? Date.now() % 1_000_000);
    const report = await runChaos({ seconds: 0, seed, say: () => {} });
    for (const why of report.skipped) process.stderr.write(`SKIPPED: ${why}\n`);
    expect(report).toMatchObject({
      jobsLost: 0,
      billedTwice: 0,
      budgetViolations: [],
      reservationsLeft: 0,
      webhooksUntold: 0,
      integrity: "ok",
    });
    expect(report.accepted).toBeGreaterThan(0);
    expect(report.budgetRefusals).toBeGreaterThan(0);
    expect(Object.keys(report.faults).length).toBeGreaterThanOrEqual(5);
  },
  { timeout: 240_000 },
);
