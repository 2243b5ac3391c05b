// The README's tables of conformance: made of what the tests showed, and current.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { notedProofs } from "../support/conformance.ts";
import { type Proofs, table, withTables } from "./behaviours.ts";
import proved from "./proved.json";

const README = join(import.meta.dir, "../../README.md");

test("the README's tables are those of what was proved", () => {
  const text = readFileSync(README, "utf8");
  // To mend it: bun run conformance
  expect(withTables(text, proved as Proofs)).toBe(text);
});

test("notes of several tests become one table; what nobody showed has neither row nor column", () => {
  const folder = mkdtempSync(join(tmpdir(), "forecourt-conformance-"));
  const file = join(folder, "notes.jsonl");
  const notes = [
    { client: "python", behaviours: ["submit", "run"] },
    { client: "js", behaviours: ["run"] },
    { client: "js", behaviours: ["run", "a row that is gone"] },
  ];
  writeFileSync(file, notes.map((note) => `${JSON.stringify(note)}\n`).join(""));
  try {
    expect(table(notedProofs(file))).toBe(
      [
        "| documented behaviour | `@fal-ai/client` | `fal_client` |",
        "| --- | :-: | :-: |",
        "| Synchronous run | ✓ | ✓ |",
        "| Queue: submit |  | ✓ |",
      ].join("\n"),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
