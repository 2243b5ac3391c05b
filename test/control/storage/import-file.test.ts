import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultSettings } from "../../../src/control/settings.ts";
import { bytes } from "../../../src/core/units.ts";
import { createTestAppliance, type TestAppliance } from "../../support/create-test-appliance.ts";

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: ({ url }) =>
    url.endsWith("/picture.png")
      ? new Response("picture", { headers: { "content-type": "image/png" } })
      : new Response("no", { status: 404 }),
});
let box: TestAppliance;
beforeAll(async () => {
  box = await createTestAppliance({
    settings: { fetch: { ...defaultSettings("").fetch, allow: ["127.0.0.1/32"], maxMb: 1 } },
  });
});
afterAll(async () => {
  await box[Symbol.asyncDispose]();
  await server.stop(true);
});

const importOf = (name: string) => {
  const key = box.keys.find("test")?.id;
  if (key === undefined) throw new Error("the appliance has a key named test");
  return box.importFile({ key, url: new URL(name, server.url).href, name, signal: new AbortController().signal });
};
const leftovers = () => readdirSync(join(box.data, "uploads", ".imports"));

test("a file is taken from its URL with the type that its server says", async () => {
  const { token, name } = await importOf("picture.png");
  const file = box.uploads.find(token, name);
  expect(file).toMatchObject({ contentType: "image/png", size: bytes(7), name: "picture.png" });
  expect(leftovers()).toEqual([]);
});

test("what cannot be had leaves nothing behind", async () => {
  await expect(importOf("nothing")).rejects.toMatchObject({ code: "file_download_error" });
  await importOf("nothing").catch(() => {});
  expect(leftovers()).toEqual([]);
});

test("what a killed server left is removed at the next start", async () => {
  const data = join(box.data, "other");
  const folder = join(data, "uploads", ".imports");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "half"), "x");
  await using _ = await createTestAppliance({ data });
  expect(await Bun.file(join(folder, "half")).exists()).toBe(false);
});
