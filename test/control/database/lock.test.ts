// One server for each data directory, whatever became of the last one.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockData } from "../../../src/control/database/lock.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOLD = `
  const { lockData } = await import(process.env.LOCK_MODULE);
  globalThis.held = lockData(process.env.LOCK_DATA);
  console.log("held");
  setInterval(() => {}, 1000);
`;

async function holdElsewhere(data: string) {
  const child = Bun.spawn([process.execPath, "-e", HOLD], {
    env: {
      ...process.env,
      LOCK_MODULE: join(import.meta.dir, "../../../src/control/database/lock.ts"),
      LOCK_DATA: data,
    },
    stdout: "pipe",
  });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("held\n");
  return child;
}

test("a second process is refused with the number of the first, and may go on after a kill -9 of it", async () => {
  const data = join(folder, "a");
  const child = await holdElsewhere(data);
  expect(() => lockData(data)).toThrow(new RegExp(`Another Forecourt \\(process ${child.pid}\\) uses ${data}`));
  child.kill("SIGKILL");
  await child.exited;
  using lock = lockData(data);
  expect(lock).toBeDefined();
});

test("the same process cannot take it twice, and gives it back", () => {
  const data = join(folder, "b");
  {
    using lock = lockData(data);
    expect(lock).toBeDefined();
    expect(() => lockData(data)).toThrow(/Another Forecourt/);
  }
  expect(existsSync(join(data, "server.pid"))).toBe(false);
  lockData(data)[Symbol.dispose]();
});

test("a data directory that cannot be written is told with the way out", () => {
  const data = join(folder, "not-to-be-written");
  mkdirSync(join(data, "server.lock"), { recursive: true });
  expect(() => lockData(data)).toThrow(/server\.lock cannot be written \(.+\)\..*give another --data/);
});
