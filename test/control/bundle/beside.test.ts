// A model of two repositories in a bundle: both travel, each with its licence, and each is looked at.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { packEnd, packFile, packText } from "../../../src/control/backup/tar.ts";
import type { Bundle } from "../../../src/control/bundle/bundle.ts";
import { exportModels } from "../../../src/control/bundle/export-models.ts";
import { importModels } from "../../../src/control/bundle/import-models.ts";
import { readModel } from "../../../src/control/catalog/read-model.ts";
import { resolveWeights } from "../../../src/control/weights/embedded.ts";
import { listWeights } from "../../../src/control/weights/library.ts";
import { pinOf } from "../../../src/control/weights/pins.ts";
import { presenceOf } from "../../../src/control/weights/presence.ts";
import { pullModel } from "../../../src/control/weights/pull-model.ts";
import { verifyWeights } from "../../../src/control/weights/verify.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { partsOf } from "../../../src/engine/sources.ts";
import { COMMIT } from "../../support/fake-hub.ts";
import { earFiles, earsSource, ownFiles, twoRepositories, twoSources } from "../../support/two-sources.ts";
import { failureOf, namesBelow, scratch } from "../weights/setting.ts";

const model = readModel(twoSources());
const order = {
  ...{ caches: [], version: "1.0.0", now: new Date(0), signal: new AbortController().signal },
  variantsOf: (given: typeof model) => [given],
};

let home: ReturnType<typeof scratch>;
let bundle: string;
beforeAll(async () => {
  home = scratch();
  await using hub = twoRepositories();
  await pullModel({ model, data: home.path, access: { endpoint: hub.endpoint } });
  bundle = join(home.path, "models.tar");
  await exportModels({ ...order, models: [model], data: home.path, to: bundle });
});
afterAll(() => home[Symbol.dispose]());

const textIn = (name: string) => Bun.spawnSync(["tar", "-xOf", bundle, name]).stdout.toString();
const importInto = (data: string, from = bundle) => importModels({ from, data, clock: systemClock });

test("both arrive without a network, at their commits, in one folder", async () => {
  using box = scratch();
  const { path: data } = box;
  await importInto(data);
  expect(await presenceOf({ model, data })).toMatchObject({ state: "complete", bytes: 7090 });
  for (const part of partsOf(model)) expect(await pinOf(part, data)).toMatchObject({ commit: COMMIT });
  const folder = await resolveWeights({ model, data });
  expect(readFileSync(join(folder, "onnx/model.onnx")).equals(ownFiles["onnx/model.onnx"])).toBe(true);
  expect(readFileSync(join(folder, "ears/onnx/model.onnx")).equals(earFiles["onnx/model.onnx"])).toBe(true);
  for (const weights of await listWeights({ data }))
    expect((await verifyWeights({ weights })).map(({ state }) => state)).toEqual(["right", "right"]);
  expect((await importInto(data)).models).toEqual([{ id: "acme/two", commit: COMMIT }]);
});

test("the licence of each is told, in the list for people and in the manifest", () => {
  expect(textIn("LICENCES.txt")).toBe(
    [
      "acme/two (acme/two)",
      "  licence: MIT",
      "  weights: acme/own",
      "  ears/: acme/ears",
      "    licence: CC-BY-4.0",
      "    terms: https://a.b/terms",
      "",
    ].join("\n"),
  );
  const [bundled] = (JSON.parse(textIn("bundle.json")) as Bundle).models;
  expect(bundled?.beside?.ears).toMatchObject({ title: "acme/ears", licence: { id: "CC-BY-4.0" } });
});

test("a box that lacks one of them exports nothing", async () => {
  await using hub = twoRepositories({
    fault: ({ repo }) => (repo === "acme/ears" ? { type: "status", status: 404 } : undefined),
  });
  using box = scratch();
  await failureOf(pullModel({ model, data: box.path, access: { endpoint: hub.endpoint } }));
  const to = join(box.path, "models.tar");
  const failure = await failureOf(exportModels({ ...order, models: [model], data: box.path, to }));
  expect(failure.message).toContain("forecourt models pull acme/two");
  expect(existsSync(to)).toBe(false);
});

test("a folder of one machine is no part of a bundle", async () => {
  const local = readModel(twoSources({ beside: { ears: { source: { path: "/somewhere" } } } }));
  const failure = await failureOf(
    exportModels({ ...order, models: [local], data: home.path, to: join(home.path, "no.tar") }),
  );
  expect(failure.message).toContain("copy /somewhere");
});

/** The same bundle, told otherwise: sealed again, so that only what it says is wrong. */
async function retold(change: (bundle: Bundle) => void, to: string): Promise<string> {
  const stage = `${to}.stage`;
  await mkdir(stage);
  Bun.spawnSync(["tar", "-xf", bundle, "-C", stage]);
  const manifest = JSON.parse(textIn("bundle.json")) as Bundle;
  change(manifest);
  await using archive = await open(to, "wx");
  for (const { name } of manifest.files) await packFile(archive, { name, path: join(stage, name) });
  const text = JSON.stringify(manifest);
  await packText(archive, { name: "bundle.json", text });
  const seal = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  await packText(archive, { name: "bundle.json.sha256", text: seal });
  await packEnd(archive);
  await rm(stage, { recursive: true });
  return to;
}

const besideOf = (told: Bundle) => {
  const [first] = told.models;
  if (!first?.beside?.ears) throw new Error("it has both");
  return { first, ears: first.beside.ears };
};

for (const [what, change, message] of [
  [
    "in a folder that the model does not have",
    (told: Bundle) => {
      const { first, ears } = besideOf(told);
      first.beside = { "../../out": ears };
    },
    "has no weights in ../../out/",
  ],
  [
    "of another repository",
    (told: Bundle) => {
      const { first, ears } = besideOf(told);
      if (!first.weights) throw new Error("it has its own");
      first.beside = { ears: first.weights };
      first.weights = ears;
    },
    "are of models--acme--ears",
  ],
  [
    "left out, and still among the files",
    (told: Bundle) => {
      delete besideOf(told).first.beside;
    },
    "which none of its models has",
  ],
] as const)
  test(`weights ${what} are refused and change nothing`, async () => {
    using box = scratch();
    const data = join(box.path, "data");
    const failure = await failureOf(importInto(data, await retold(change, join(box.path, "told.tar"))));
    expect(failure.message).toContain(message);
    expect(namesBelow(data)).toEqual([]);
  });

test("a model of the same repositories with other files is another one", async () => {
  using box = scratch();
  const other = twoSources({ beside: { ears: { source: { ...earsSource, include: ["*.json"] } } } });
  await Bun.write(join(box.path, "models/two.yaml"), other.text);
  expect((await failureOf(importInto(box.path))).message).toContain("has other weights in");
});
