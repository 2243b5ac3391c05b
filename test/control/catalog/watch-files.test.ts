// Model files are looked at every so often: what changes is told once it stays as it is.
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watchModelFiles } from "../../../src/control/catalog/watch-files.ts";
import { milliseconds } from "../../../src/core/units.ts";
import { createTestClock } from "../../support/test-clock.ts";
import { testFolder } from "../../support/test-folder.ts";
import { until } from "../../support/until.ts";

const folder = testFolder("watch");

function watched() {
  const data = mkdtempSync(join(folder, "data-"));
  const clock = createTestClock();
  let told = 0;
  const onChange = () => {
    told += 1;
  };
  const watch = watchModelFiles({ data, every: milliseconds(2_000), timers: clock, onChange });
  return {
    models: join(data, "models"),
    told: () => told,
    /** One look, to its end: then it has planned the next one. */
    async look() {
      clock.advance(2_000);
      await until(() => clock.pending() === 1);
    },
    pending: clock.pending,
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

test("what was changed before anybody looked is told once, and then only changes are", async () => {
  using files = watched();
  await files.look();
  expect(files.told()).toBe(0);
  for (const _ of "123") await files.look();
  expect(files.told()).toBe(1);
  mkdirSync(files.models);
  writeFileSync(join(files.models, "notes.txt"), "none of its business");
  for (const _ of "123") await files.look();
  const before = files.told();
  writeFileSync(join(files.models, "a.yaml"), "id: a");
  await files.look();
  expect(files.told()).toBe(before);
  for (const _ of "123") await files.look();
  expect(files.told()).toBe(before + 1);
});

test("a file that grows with each look is waited for, and so is one that an editor takes away to write it anew", async () => {
  using files = watched();
  mkdirSync(files.models);
  const path = join(files.models, "a.yaml");
  writeFileSync(path, "id: a");
  for (const _ of "12") await files.look();
  expect(files.told()).toBe(1);
  for (const length of [10, 20, 30]) {
    writeFileSync(path, "#".repeat(length));
    await files.look();
  }
  expect(files.told()).toBe(1);
  rmSync(path);
  await files.look();
  writeFileSync(join(files.models, "new"), "id: b");
  renameSync(join(files.models, "new"), path);
  await files.look();
  expect(files.told()).toBe(1);
  await files.look();
  expect(files.told()).toBe(2);
});

test("once it is over nothing is planned any more", () => {
  const files = watched();
  files[Symbol.dispose]();
  expect(files.pending()).toBe(0);
});
