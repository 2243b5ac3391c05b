// Reading nvidia-smi, and calling programs that behave like it on bad days.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askNvidiaSmi, parseNvidiaSmi } from "../../../src/control/hardware/nvidia-smi.ts";

const tools = mkdtempSync(join(tmpdir(), "forecourt-smi-"));
afterAll(() => rmSync(tools, { recursive: true }));

function program(script: string): string {
  const path = join(mkdtempSync(join(tools, "tool-")), "nvidia-smi");
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

test("slots are written as the kernel writes them, so that the two lists can be joined", () => {
  expect(parseNvidiaSmi("3, 00000000:D8:00.0, NVIDIA L4, 23034, 22500, 560.35.03, 8.9\n")).toMatchObject([
    { index: 3, slot: "0000:d8:00.0", computeCapability: "8.9" },
  ]);
  expect(parseNvidiaSmi("0, 00010000:01:00.0, NVIDIA L4, 1, 1, 560, 8.9\n")[0]?.slot).toBe("00010000:01:00.0");
});

test("a card without memory of its own is kept, and an old driver's unknown fields are left out", () => {
  const [card] = parseNvidiaSmi("0, 0000000F:01:00.0, NVIDIA GB10, [N/A], [N/A], 580.95.05, [N/A]\n");
  expect(card).toMatchObject({ memory: { total: 0, free: 0 } });
  expect(card?.computeCapability).toBeUndefined();
});

test("lines that are no cards are skipped", () => {
  expect(parseNvidiaSmi("Unable to determine the device handle for GPU0000:01:00.0: Unknown Error\n\n")).toEqual([]);
});

test("the tool's answer, its refusal and its absence are told apart", async () => {
  expect(await askNvidiaSmi(program("echo '0, a, b, 1, 1, 1, 1'"))).toEqual({
    type: "answered",
    stdout: "0, a, b, 1, 1, 1, 1\n",
  });
  expect(await askNvidiaSmi(program("echo no driver >&2; exit 9"))).toEqual({
    type: "failed",
    exitCode: 9,
    output: "no driver",
  });
  expect(await askNvidiaSmi("/nonexistent/nvidia-smi")).toEqual({ type: "missing" });
});

test("a tool that never answers is given up", async () => {
  expect(await askNvidiaSmi(program("sleep 30"), { timeoutMs: 100 })).toEqual({ type: "timed-out", afterMs: 100 });
});
