// Log lines: JSON for machines, short text for terminals, nothing below the level.
import { expect, test } from "bun:test";
import { createLog, type LogOptions } from "../../src/core/log.ts";

function written(options: Pick<LogOptions, "level" | "format">) {
  const lines: string[] = [];
  const log = createLog({ ...options, write: (line) => lines.push(line), now: () => new Date("2026-01-02T03:04:05Z") });
  return { lines, log };
}

test("JSON lines carry time, level, message and fields", () => {
  const { lines, log } = written({ level: "info", format: "json" });
  log.with({ model: "a/b" }).warn("slow", { ms: 12 });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: "2026-01-02T03:04:05.000Z", level: "warn", message: "slow", model: "a/b", ms: 12 },
  ]);
});

test("text lines fit a terminal", () => {
  const { lines, log } = written({ level: "info", format: "text" });
  log.error("down", { reason: "full", at: [1] });
  expect(lines).toEqual(["03:04:05 ERROR down reason=full at=[1]"]);
});

test("what callers sent makes no lines of its own, and moves no cursor", () => {
  const sent = "x\r\n03:04:05 ERROR forged\u2028more\u001b[2J\u009b1m\u0000";
  const text = written({ level: "info", format: "text" });
  text.log.info(sent, { reason: sent });
  expect(text.lines.join()).not.toMatch(/[^\P{Cc}\n]|[\u2028\u2029]/u);
  expect(text.lines.flatMap((line) => line.split("\n")).filter((line) => !line.startsWith("    "))).toHaveLength(1);
  expect(text.lines[0]).toContain("\\x1b[2J");
  const json = written({ level: "info", format: "json" });
  json.log.info(sent, { reason: sent });
  expect(json.lines.join("\n").split("\n")).toHaveLength(1);
  expect(JSON.parse(json.lines[0] ?? "")).toMatchObject({ message: sent, reason: sent });
});

test("what is below the level is not written", () => {
  const { lines, log } = written({ level: "warn", format: "json" });
  log.info("hello");
  log.debug("hello");
  expect(lines).toEqual([]);
});

test("what is named like a secret does not arrive, wherever it stands and whatever the format", () => {
  for (const format of ["json", "text"] as const) {
    const { lines, log } = written({ level: "info", format });
    log
      .with({ token: "hunter2" })
      .info("asked", { authorization: "Key a:hunter2", request: { cookie: "hunter2" }, url: "/x" });
    expect(lines.join()).not.toContain("hunter2");
    expect(lines.join()).toContain("/x");
  }
});

test("fields that cannot be written as JSON cost a field, never the line or the server", () => {
  const { lines, log } = written({ level: "info", format: "json" });
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  log.warn("odd", { loop, big: 12n, nothing: undefined });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", message: "odd" });
});
