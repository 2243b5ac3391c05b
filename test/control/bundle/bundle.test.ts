// Models carried to another box in a file: all of it arrives, and what is damaged or hostile changes nothing.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { YAML } from "bun";
import { packEnd, packText } from "../../../src/control/backup/tar.ts";
import { exportModels } from "../../../src/control/bundle/export-models.ts";
import { importModels } from "../../../src/control/bundle/import-models.ts";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { readModel } from "../../../src/control/catalog/read-model.ts";
import { resolveWeights } from "../../../src/control/weights/embedded.ts";
import { listWeights } from "../../../src/control/weights/library.ts";
import { presenceOf } from "../../../src/control/weights/presence.ts";
import { pullModel } from "../../../src/control/weights/pull-model.ts";
import { verifyWeights } from "../../../src/control/weights/verify.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { DeviceKind } from "../../../src/core/device.ts";
import type { Model } from "../../../src/engine/model.ts";
import { modelOn, variantsOn } from "../../../src/engine/variants.ts";
import { COMMIT, createFakeHub, noise, sha256 } from "../../support/fake-hub.ts";
import { testModel } from "../../support/test-models.ts";
import { variantHub, variantModel } from "../../support/variant-model.ts";
import { failureOf, namesBelow, scratch } from "../weights/setting.ts";

const files = {
  "config.json": noise(60, 2),
  "onnx/model.onnx": noise(700, 3),
  "onnx/model.onnx_data": noise(3000, 4),
  "README.md": noise(50, 5),
};
const branch = (include: string[]) => ({ repo: "owner/name", revision: "main", include, bytes: 4000 });
const pinned = Object.entries(files)
  .slice(1, 3)
  .map(([path, data]) => ({ path, bytes: data.byteLength, sha256: sha256(data) }));
const texts = {
  "acme/branch": testModel("acme/branch", { source: branch(["*.json", "onnx/"]), aliases: ["acme/other-name"] }),
  "acme/same": testModel("acme/same", { source: branch(["onnx/"]) }),
  "acme/pinned": testModel("acme/pinned", { source: { repo: "owner/name", revision: COMMIT, files: pinned } }),
  "acme/none": testModel("acme/none", { licence: { id: "CC-BY-NC-4.0", commercial: false } }),
};
const models = Object.values(texts).map(readModel);
const order = {
  variantsOf: (model: Model) => [model],
  caches: [],
  version: "1.0.0",
  now: new Date(0),
  signal: new AbortController().signal,
};

let home: ReturnType<typeof scratch>;
let bundle: string;
beforeAll(async () => {
  home = scratch();
  await using hub = createFakeHub({ repos: { "owner/name": { files } } });
  for (const model of models)
    if ("repo" in model.source) await pullModel({ model, data: home.path, access: { endpoint: hub.endpoint } });
  bundle = join(home.path, "models.tar");
  await exportModels({ ...order, models, data: home.path, to: bundle });
});
afterAll(() => home[Symbol.dispose]());

const importInto = (data: string, from = bundle) => importModels({ from, data, clock: systemClock });

test("everything arrives without a network, and is right to its last byte", async () => {
  using box = scratch();
  const data = box.path;
  const { models: imported } = await importInto(data);
  expect(imported.map(({ id, commit }) => [id, commit])).toEqual([
    ["acme/branch", COMMIT],
    ["acme/same", COMMIT],
    ["acme/pinned", COMMIT],
    ["acme/none", undefined],
  ]);
  const catalog = createCatalog({ data });
  for (const model of models) {
    const found = catalog.find(model.id)?.model;
    expect(found).toEqual(model);
    if (!("repo" in model.source)) continue;
    expect(await presenceOf({ model, data })).toMatchObject({ state: "complete" });
    const folder = await resolveWeights({ model, data });
    expect(readFileSync(join(folder, "onnx/model.onnx")).equals(files["onnx/model.onnx"])).toBe(true);
  }
  for (const weights of await listWeights({ data }))
    expect((await verifyWeights({ weights })).map(({ state }) => state)).toEqual(["right", "right", "right"]);
  expect(namesBelow(data).filter((name) => name.startsWith("importing"))).toEqual([]);
  // Again, as after an interruption: what is there stays.
  expect((await importInto(data)).models.every(({ file }) => file === undefined)).toBe(true);
});

test("a folder of models that is a link to another disk gets the bundle's models, and nothing of their trial", async () => {
  using box = scratch();
  const elsewhere = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "forecourt-models-"));
  try {
    symlinkSync(elsewhere, join(box.path, "models"));
    await importInto(box.path);
    expect(readdirSync(elsewhere).sort()).toEqual(models.map(({ id }) => `${id.replace("/", "--")}.yaml`).sort());
    expect(createCatalog({ data: box.path }).find("acme/branch")?.model).toEqual(models[0] as Model);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test("it is a plain tar archive, with the licences first and each content once", async () => {
  const { exitCode, stdout } = Bun.spawnSync(["tar", "-tf", bundle]);
  expect(exitCode).toBe(0);
  const names = stdout.toString().trim().split("\n");
  expect(names[0]).toBe("LICENCES.txt");
  expect(names.slice(-2)).toEqual(["bundle.json", "bundle.json.sha256"]);
  expect(names.filter((name) => name.endsWith("onnx_data"))).toHaveLength(1);
  const licences = Bun.spawnSync(["tar", "-xOf", bundle, "LICENCES.txt"]).stdout.toString();
  expect(licences).toContain("acme/none (acme/none)\n  licence: CC-BY-NC-4.0 - no commercial use");
});

test("every model of the catalogue can be written down and read again", () => {
  for (const { model } of createCatalog({}).list())
    expect(readModel({ file: model.id, text: YAML.stringify(model, null, 2) })).toEqual(model as Model);
});

test("a model that became an alias of a built-in one is still taken from a bundle, under its own id", async () => {
  const id = "meta-llama/llama-3.2-1b-instruct/q4";
  expect(createCatalog({}).find(id)?.model).toMatchObject({ id: "meta-llama/llama-3.2-1b-instruct" });
  const to = join(home.path, "older.tar");
  await exportModels({ ...order, models: [readModel(testModel(id))], data: home.path, to });
  using box = scratch();
  await importInto(box.path, to);
  expect(createCatalog({ data: box.path }).find(id)?.model.id).toBe(id);
});

test("variants travel as the other box needs them", async () => {
  const model = readModel(variantModel());
  await using hub = variantHub();
  using source = scratch();
  const data = source.path;
  const access = { endpoint: hub.endpoint };
  await pullModel({ model: modelOn(model, "cpu"), data, access });
  const pack = async (...kinds: DeviceKind[]) => {
    const to = join(data, `${kinds.join("-")}.tar`);
    await exportModels({ ...order, variantsOf: (each) => variantsOn(each, kinds), models: [model], data, to });
    return to;
  };
  expect((await failureOf(pack("cuda"))).message).toContain("forecourt models pull acme/variants --for webgpu,cuda");
  using plain = scratch();
  const stateOn = (kind: DeviceKind, at: string) => presenceOf({ model: modelOn(model, kind), data: at });
  await importInto(plain.path, await pack("cpu"));
  expect(await stateOn("cpu", plain.path)).toMatchObject({ state: "complete", bytes: 4040 });
  expect(await stateOn("cuda", plain.path)).toMatchObject({ state: "absent" });

  await pullModel({ model: modelOn(model, "cuda"), data, access });
  using mixed = scratch();
  await importInto(mixed.path, await pack("cuda", "cpu"));
  for (const kind of ["cpu", "cuda"] as const) {
    expect(await stateOn(kind, mixed.path)).toMatchObject({ state: "complete" });
    expect(existsSync(await resolveWeights({ model: modelOn(model, kind), data: mixed.path }))).toBe(true);
  }
});

describe("nothing changes", () => {
  /** The box has a file, and only that after each failure. */
  async function refused(from: string, at = "bad_request") {
    using box = scratch();
    writeFileSync(join(box.path, "mine"), "");
    const failure = await failureOf(importInto(box.path, from));
    expect(failure.code as string).toBe(at);
    expect(namesBelow(box.path)).toEqual(["mine"]);
    return failure.message;
  }

  test("for a byte that was flipped, wherever it is", async () => {
    const whole = readFileSync(bundle);
    const from = join(home.path, "flipped.tar");
    const places = Array.from({ length: 60 }, (_, at) => Math.floor((at * whole.length) / 60));
    for (const place of [...places, whole.length - 700, whole.length - 1]) {
      const copy = Buffer.from(whole);
      copy[place] = (copy[place] ?? 0) ^ 0x10;
      writeFileSync(from, copy);
      await refused(from);
    }
  });

  test("for a file that was cut short", async () => {
    const whole = readFileSync(bundle);
    const from = join(home.path, "cut.tar");
    for (const share of [0, 0.1, 0.5, 0.9, 0.99]) {
      writeFileSync(from, whole.subarray(0, Math.floor(share * (whole.length - 1024))));
      expect(await refused(from)).toStartWith("This is no whole archive of Forecourt");
    }
  });

  test("for names that lead elsewhere", async () => {
    const from = join(home.path, "hostile.tar");
    for (const name of ["../evil", "weights/../../evil", "/etc/evil", "models/../../evil.yaml", "weights//evil"]) {
      await using archive = await open(from, "w");
      await packText(archive, { name, text: "evil" });
      await packEnd(archive);
      expect(await refused(from)).toContain("it names a file");
      expect(existsSync(join(home.path, "evil"))).toBe(false);
    }
    for (const path of ["../../../evil", "a/../../evil", "/evil"]) {
      await hostile(from, ({ models: [first] }) => Object.assign(first?.weights?.files[0] ?? {}, { path }));
      await refused(from, "weights_missing");
    }
    await hostile(from, ({ models: [first] }) =>
      Object.assign(first?.weights ?? {}, { folderName: "models--../evil" }),
    );
    expect(await refused(from)).toContain("its manifest cannot be read");
    await hostile(from, ({ models: [first] }) => Object.assign(first ?? {}, { id: "../evil" }));
    await refused(from);
  });

  test("for weights that are another model's, and hashes that were written anew", async () => {
    const from = join(home.path, "hostile.tar");
    await hostile(from, ({ models: [first] }) =>
      Object.assign(first?.weights ?? {}, { folderName: "models--owner--else" }),
    );
    await refused(from);
    await hostile(from, ({ models: [first] }) =>
      Object.assign(first?.weights?.files[0] ?? {}, { digest: { algorithm: "sha256", hex: "0".repeat(64) } }),
    );
    expect(await refused(from)).toContain("is not what its hash says");
  });

  test("for a model that has other weights on this box, or an alias that is taken", async () => {
    const cases = [
      testModel("acme/branch", { source: { ...branch(["*.json"]) } }),
      testModel("acme/mine", { aliases: ["acme/branch"] }),
      testModel("acme/mine", { aliases: ["acme/other-name"] }),
    ];
    for (const { text } of cases) {
      using box = scratch();
      mkdirSync(join(box.path, "models"));
      writeFileSync(join(box.path, "models/mine.yaml"), text);
      expect(await failureOf(importInto(box.path))).toMatchObject({ code: "misconfigured" });
      expect(namesBelow(box.path)).toEqual(["models", "models/mine.yaml"]);
    }
  });

  type Manifest = { models: { id: string; weights?: { files: object[] } }[]; files: object[] };

  /** The bundle with a manifest that says something else. */
  async function hostile(to: string, change: (manifest: Manifest) => unknown): Promise<void> {
    const whole = readFileSync(bundle);
    const start = whole.indexOf("bundle.json\0");
    const manifest = JSON.parse(Bun.spawnSync(["tar", "-xOf", bundle, "bundle.json"]).stdout.toString());
    change(manifest);
    writeFileSync(to, whole.subarray(0, start));
    await using archive = await open(to, "a");
    const text = JSON.stringify(manifest);
    await packText(archive, { name: "bundle.json", text });
    await packText(archive, {
      name: "bundle.json.sha256",
      text: new Bun.CryptoHasher("sha256").update(text).digest("hex"),
    });
    await packEnd(archive);
  }
});

describe("is not packed", () => {
  test("what is not whole on the disk, is damaged, or lies in a folder of the machine", async () => {
    using box = scratch();
    const to = join(box.path, "out.tar");
    const [model] = models as [Model];
    const some = { ...order, data: box.path, to };
    expect(await failureOf(exportModels({ ...some, models: [model] }))).toMatchObject({ code: "weights_missing" });
    const folder = readModel(testModel("acme/folder", { source: { path: "/srv/x" } }));
    expect(await failureOf(exportModels({ ...some, models: [folder] }))).toMatchObject({ code: "bad_request" });
    await using hub = createFakeHub({ repos: { "owner/name": { files } } });
    const { folder: weights } = await pullModel({ model, data: box.path, access: { endpoint: hub.endpoint } });
    writeFileSync(join(weights, "onnx/model.onnx"), noise(700, 99));
    const failure = await failureOf(exportModels({ ...some, models: [model] }));
    expect(failure.message).toContain("forecourt models verify acme/branch --discard");
    expect(existsSync(to)).toBe(false);
  });
});
