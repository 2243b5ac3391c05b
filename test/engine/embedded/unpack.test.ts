import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmbeddedFolder } from "../../../src/engine/embedded/embedded.ts";
import { unpack } from "../../../src/engine/embedded/unpack.ts";

let root = "";
let from = "";
let into = "";
const folder: EmbeddedFolder = {
  name: "demo/thing",
  hash: "0123456789abcdef",
  files: [
    { path: "a.txt", size: 5 },
    { path: "deep/er/b.bin", size: 100_000 },
  ],
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "forecourt-unpack-"));
  [from, into] = [join(root, "from"), join(root, "into")];
  await mkdir(join(from, "deep/er"), { recursive: true });
  await writeFile(join(from, "a.txt"), "hello");
  await writeFile(join(from, "deep/er/b.bin"), new Uint8Array(100_000).fill(7));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("every file is written below a folder named after the content", async () => {
  const target = await unpack({ folder, into, from });
  expect(target).toBe(join(into, "demo-thing-0123456789abcdef"));
  expect(await Bun.file(join(target, "a.txt")).text()).toBe("hello");
  expect(await Bun.file(join(target, "deep/er/b.bin")).bytes()).toEqual(new Uint8Array(100_000).fill(7));
  expect(await readdir(into)).toEqual(["demo-thing-0123456789abcdef"]);
});

test("a complete folder is left as it is", async () => {
  const target = await unpack({ folder, into, from });
  const before = await stat(join(target, "a.txt"));
  await rm(from, { recursive: true });
  expect(await unpack({ folder, into, from })).toBe(target);
  expect((await stat(join(target, "a.txt"))).ino).toBe(before.ino);
});

test("a damaged folder is replaced", async () => {
  const target = await unpack({ folder, into, from });
  await truncate(join(target, "deep/er/b.bin"), 10);
  await unpack({ folder, into, from });
  expect((await stat(join(target, "deep/er/b.bin"))).size).toBe(100_000);
  expect(await readdir(into)).toEqual(["demo-thing-0123456789abcdef"]);
});

test("many at once agree on one folder and leave nothing else", async () => {
  const targets = await Promise.all(Array.from({ length: 8 }, () => unpack({ folder, into, from })));
  expect(new Set(targets).size).toBe(1);
  expect(await readdir(into)).toEqual(["demo-thing-0123456789abcdef"]);
});

test("what another version unpacked is removed, other folders are not", async () => {
  await mkdir(join(into, "demo-thing-ffffffffffffffff"), { recursive: true });
  await mkdir(join(into, "demo-things-ffffffffffffffff"));
  await mkdir(join(into, "cuda"));
  await unpack({ folder, into, from });
  expect((await readdir(into)).sort()).toEqual(["cuda", "demo-thing-0123456789abcdef", "demo-things-ffffffffffffffff"]);
});

test("a failure names the folder and leaves nothing half written", async () => {
  await rm(join(from, "deep/er/b.bin"));
  await expect(unpack({ folder, into, from })).rejects.toMatchObject({
    code: "misconfigured",
    message: expect.stringContaining("cannot unpack demo/thing"),
  });
  expect(await readdir(into)).toEqual([]);
});
