// The system's timers, as a process of its own has them.
import { expect, test } from "bun:test";
import { resolve } from "node:path";

const clock = resolve(import.meta.dir, "../../src/core/clock.ts");

test("what is due already comes at once, and without a word on the standard error", () => {
  const code = `
    const { systemTimers } = await import(${JSON.stringify(clock)});
    const { promise, resolve } = Promise.withResolvers();
    const alive = setInterval(() => {}, 1000);
    systemTimers.after(-27, resolve);
    await promise;
    clearInterval(alive);
    console.log("came");`;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", code]);
  expect(stdout.toString()).toBe("came\n");
  expect(stderr.toString()).toBe("");
});
