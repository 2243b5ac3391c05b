import { expect, test } from "bun:test";
import { createRecent } from "../../../src/engine/text/recent.ts";

test("keeps the values asked for last, makes the others anew, and does not keep failures", async () => {
  const recent = createRecent<string>(2);
  const made: string[] = [];
  const get = (key: string) => recent.get(key, async () => `${key}${made.push(key)}`);
  expect([await get("a"), await get("b"), await get("a")]).toEqual(["a1", "b2", "a1"]);
  await get("c");
  expect([await get("a"), await get("b")]).toEqual(["a1", "b4"]);
  await expect(recent.get("d", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await get("d")).toBe("d5");
});
