import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveWeights } from "../../../src/control/weights/embedded.ts";
import { placeOfUrls } from "../../../src/control/weights/plan/plan-urls.ts";
import { noise, sha256 } from "../../support/fake-hub.ts";

let data = "";
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "forecourt-weights-"));
});
afterAll(() => rm(data, { recursive: true, force: true }));

test("from source, embedded weights are those of the checkout", async () => {
  const folder = await resolveWeights({ model: { id: "a/b", source: { embedded: "demo/recipe" } }, data });
  expect(existsSync(join(folder, "world.py"))).toBe(true);
});

test("a folder of this machine is taken as it is", async () => {
  expect(await resolveWeights({ model: { id: "a/b", source: { path: data } }, data })).toBe(data);
});

const graph = noise(100);
const graphFile = { path: "onnx/model.onnx", bytes: 100, sha256: sha256(graph) };

test("a Hub repository is looked for where the Hub's own cache has it, all files of its pinned revision", async () => {
  const source = { repo: "owner/name", revision: "a".repeat(40), files: [graphFile] };
  const folder = join(data, "weights/models--owner--name/snapshots", source.revision);
  await mkdir(join(folder, "onnx"), { recursive: true });
  await writeFile(join(folder, "onnx/model.onnx"), graph.subarray(1));
  const missing = { code: "weights_missing", details: { reason: "offline" } };
  await expect(resolveWeights({ model: { id: "a/b", source }, data })).rejects.toMatchObject(missing);
  await writeFile(join(folder, "onnx/model.onnx"), graph);
  expect(await resolveWeights({ model: { id: "a/b", source }, data })).toBe(folder);
});

test("files of plain URLs are looked for without asking for them", async () => {
  const file = { url: "https://example.invalid/model.onnx", bytes: 100, sha256: sha256(graph) };
  const source = { urls: [file] };
  await expect(resolveWeights({ model: { id: "a/b", source }, data })).rejects.toMatchObject({
    details: { reason: "offline" },
  });
  const { folderName, commit } = placeOfUrls(source);
  const folder = join(data, "weights", folderName, "snapshots", commit);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.onnx"), graph);
  expect(await resolveWeights({ model: { id: "a/b", source }, data })).toBe(folder);
});

test("folders that are not there are missing weights, named in the message", async () => {
  for (const source of [{ embedded: "demo/unknown" }, { path: join(data, "unknown") }]) {
    await expect(resolveWeights({ model: { id: "a/b", source }, data })).rejects.toMatchObject({
      code: "weights_missing",
      message: expect.stringContaining("unknown"),
    });
  }
});

test("a model without weights asks for no folder to be there", async () => {
  expect(
    await resolveWeights({ model: { id: "a/b", source: { embedded: "none" } }, data: "/nonexistent" }),
  ).toStartWith("/nonexistent");
});
