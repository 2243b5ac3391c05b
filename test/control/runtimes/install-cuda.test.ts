// Installing a vendor's libraries from packages in a folder or on a server, which are doubles here: small zips.
import { afterAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CudaOrder, installCuda } from "../../../src/control/runtimes/install-cuda.ts";
import { cudaFolder, installedCuda, listRuntimes, removeRuntimes } from "../../../src/control/runtimes/installed.ts";
import { zipOf } from "../../support/zip.ts";

const scratch = mkdtempSync(join(tmpdir(), "forecourt-runtime-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const newFolder = () => mkdtempSync(join(scratch, "f-"));

const random = (size: number) => crypto.getRandomValues(new Uint8Array(size));
const provider = random(60_000);
const runtime = new Uint8Array(100_000).fill(7);
const zips: Record<string, Uint8Array> = {
  "ort.whl": zipOf({ "ort/capi/libonnxruntime_providers_cuda.so": provider, "ort/readme.txt": random(10) }),
  "cuda.whl": zipOf({ "nvidia/licence.txt": random(10), "nvidia/lib/libcudart.so.13": runtime }),
};
const packages = Object.entries(zips).map(([file, content]) => ({
  ...{ file, bytes: content.length, sha256: createHash("sha256").update(content).digest("hex"), libraries: /\.so/ },
}));

function writePackages(changed: Record<string, Uint8Array> = {}): string {
  const folder = newFolder();
  for (const [file, content] of Object.entries({ ...zips, ...changed })) writeFileSync(join(folder, file), content);
  return folder;
}
const install = (data: string, from: CudaOrder["from"]) => installCuda({ data, from, packages });
const leftovers = (data: string) => readdirSync(join(data, "runtime")).filter((name) => name.startsWith("."));

test("from a folder: the libraries lie together, are listed, and can be removed", async () => {
  const data = newFolder();
  expect(installedCuda(data)).toBeUndefined();
  const folder = await install(data, { folder: writePackages() });
  expect(folder).toBe(cudaFolder(data));
  expect(installedCuda(data)).toBe(folder);
  expect(readdirSync(folder).toSorted()).toEqual([
    "installed.json",
    "libcudart.so.13",
    "libonnxruntime_providers_cuda.so",
  ]);
  expect(readFileSync(join(folder, "libonnxruntime_providers_cuda.so")).equals(provider)).toBe(true);
  expect(readFileSync(join(folder, "libcudart.so.13")).equals(runtime)).toBe(true);
  expect(listRuntimes(data)).toMatchObject([{ isUsed: true, bytes: 160_000 }]);
  expect(leftovers(data)).toEqual([]);
  expect(removeRuntimes(data)).toBe(true);
  expect(installedCuda(data)).toBeUndefined();
  expect(removeRuntimes(data)).toBe(false);
});

test("from a server: packages are fetched, checked and thrown away; a second install replaces the first", async () => {
  using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => new Response(Buffer.from(zips[new URL(url).pathname.slice("/mirror/".length)] ?? [])),
  });
  const data = newFolder();
  const from = { url: `http://127.0.0.1:${server.port}/mirror/` };
  await install(data, from);
  const folder = await install(data, from);
  expect(existsSync(join(folder, "libcudart.so.13"))).toBe(true);
  expect(leftovers(data)).toEqual([]);
});

test("a package with other content is refused, and what was installed before stays", async () => {
  const data = newFolder();
  const folder = await install(data, { folder: writePackages() });
  const wrong = writePackages({ "cuda.whl": zipOf({ "nvidia/lib/libcudart.so.13": random(100) }) });
  await expect(install(data, { folder: wrong })).rejects.toThrow(/cuda\.whl is not the package that is expected/);
  expect(readFileSync(join(folder, "libcudart.so.13")).equals(runtime)).toBe(true);
  expect(leftovers(data)).toEqual([]);
});

test("a missing package and one that is no zip are said, with the file", async () => {
  const data = newFolder();
  const empty = newFolder();
  await expect(install(data, { folder: empty })).rejects.toThrow(/ort\.whl is missing.*runtime packages cuda/);
  const noZip = random(500);
  const odd = { ...packages[0], bytes: 500, sha256: createHash("sha256").update(noZip).digest("hex") };
  const folder = writePackages({ "ort.whl": noZip });
  const order = { data, from: { folder }, packages: [{ file: "ort.whl", libraries: /\.so/, ...odd }] };
  await expect(installCuda(order)).rejects.toThrow(/ort\.whl is not a package that can be used: it has no directory/);
  expect(installedCuda(data)).toBeUndefined();
});
