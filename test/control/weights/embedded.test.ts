import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveWeights } from "../../../src/control/weights/embedded.ts";

let data = "";
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "forecourt-weights-"));
});
afterAll(() => rm(data, { recursive: true, force: true }));

test("from source, embedded weights are those of the checkout", async () => {
  const folder = await resolveWeights({ source: { embedded: "demo/recipe" }, data });
  expect(existsSync(join(folder, "world.py"))).toBe(true);
});

test("a folder of this machine is taken as it is", async () => {
  expect(await resolveWeights({ source: { path: data }, data })).toBe(data);
});

test("a Hub repository is looked for where the Hub's own cache has it, by its pinned revision", async () => {
  const source = { repo: "owner/name", revision: "a".repeat(40), files: [] };
  const folder = join(data, "weights/models--owner--name/snapshots", source.revision);
  await expect(resolveWeights({ source, data })).rejects.toMatchObject({ code: "weights_missing" });
  await mkdir(folder, { recursive: true });
  expect(await resolveWeights({ source, data })).toBe(folder);
});

test("folders that are not there are missing weights, named in the message", async () => {
  for (const source of [{ embedded: "demo/unknown" }, { path: join(data, "unknown") }]) {
    await expect(resolveWeights({ source, data })).rejects.toMatchObject({
      code: "weights_missing",
      message: expect.stringContaining("unknown"),
    });
  }
});

test("a model without weights asks for no folder to be there", async () => {
  expect(await resolveWeights({ source: { embedded: "none" }, data: "/nonexistent" })).toStartWith("/nonexistent");
});
