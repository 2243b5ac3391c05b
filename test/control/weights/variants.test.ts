// Variants of a model's weights on the disk: each box fetches what its devices take, and knows what it has.
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { addModel } from "../../../src/control/catalog/add/add-model.ts";
import { readModel } from "../../../src/control/catalog/read-model.ts";
import { defaultSettings } from "../../../src/control/settings.ts";
import { createLackHere, createVariantsHere } from "../../../src/control/variants-here.ts";
import { openHub } from "../../../src/control/weights/access.ts";
import { resolveWeights } from "../../../src/control/weights/embedded.ts";
import { listWeights } from "../../../src/control/weights/library.ts";
import { placesOf, presenceOfAll } from "../../../src/control/weights/presence.ts";
import { pullModel } from "../../../src/control/weights/pull-model.ts";
import { createSupply } from "../../../src/control/weights/supply.ts";
import { verifyWeights } from "../../../src/control/weights/verify.ts";
import type { DeviceKind } from "../../../src/core/device.ts";
import { asId } from "../../../src/core/ids.ts";
import { silentLog } from "../../../src/core/log.ts";
import { bytes, MIB } from "../../../src/core/units.ts";
import type { Model } from "../../../src/engine/model.ts";
import { modelOn, variantsOn } from "../../../src/engine/variants.ts";
import { createFakeHub, noise } from "../../support/fake-hub.ts";
import { variantFiles, variantHub, variantModel } from "../../support/variant-model.ts";
import { failureOf, scratch } from "./setting.ts";

const model = readModel(variantModel());
const onnxIn = (folder: string) => readdirSync(join(folder, "onnx")).sort();
const fetched = (hub: ReturnType<typeof variantHub>) => hub.files.map(({ path }) => path).sort();

/** A server's supply on a box with one kind of device. */
function supplyOn(kind: DeviceKind, { data, endpoint }: { data: string; endpoint: string }, isOffline = false) {
  const variantsOf = (given: Model) => variantsOn(given, [kind]);
  const access = { endpoint, isOffline };
  return createSupply({ data, access, limits: {}, when: "ahead", variantsOf, log: silentLog });
}

test("only what the device takes is fetched; what comes later shares the rest", async () => {
  await using hub = variantHub();
  using box = scratch();
  const at = { data: box.path, endpoint: hub.endpoint };
  const folder = await supplyOn("cpu", at).folderOf(modelOn(model, "cpu"));
  expect(fetched(hub)).toEqual(["config.json", "onnx/model.onnx"]);
  expect(onnxIn(folder)).toEqual(["model.onnx"]);
  expect(await supplyOn("cpu", at).presenceOf(model)).toMatchObject({ state: "complete", bytes: 4040 });
  expect(await supplyOn("cuda", at).presenceOf(model)).toMatchObject({ state: "absent", wantedBytes: 2040 });

  // A card comes into the box.
  const cuda = supplyOn("cuda", at);
  expect(await cuda.folderOf(modelOn(model, "cuda"))).toBe(folder);
  expect(fetched(hub)).toEqual(["config.json", "onnx/model.onnx", "onnx/model_fp16.onnx"]);
  expect(await cuda.presenceOf(model)).toMatchObject({ state: "complete", bytes: 2040, folder });
  const both = { variants: variantsOn(model, ["cpu", "cuda"]), data: box.path };
  expect(await presenceOfAll(both)).toMatchObject({ state: "complete", bytes: 6040, wantedBytes: 6040 });
});

test("without a network each variant that is here is found, and one that is not is told by its dtype", async () => {
  await using hub = variantHub();
  using box = scratch();
  const { path: data } = box;
  await pullModel({ model: modelOn(model, "cpu"), data, access: { endpoint: hub.endpoint } });
  const offline = supplyOn("cuda", { data, endpoint: hub.endpoint }, true);
  expect(await resolveWeights({ model: modelOn(model, "cpu"), data })).toContain("acme--weights");
  const failure = await failureOf(offline.folderOf(modelOn(model, "cuda")));
  expect(failure).toMatchObject({ code: "weights_missing", details: { reason: "offline" } });
  expect(failure.message).toContain("acme/variants in fp16");
});

test("a variant that the repository lacks is told by its pattern", async () => {
  const { "onnx/model_fp16.onnx": _, ...others } = variantFiles;
  await using hub = createFakeHub({ repos: { "acme/weights": { files: others } } });
  using box = scratch();
  const supply = supplyOn("cuda", { data: box.path, endpoint: hub.endpoint });
  const failure = await failureOf(supply.folderOf(modelOn(model, "cuda")));
  expect(failure.message).toMatch(/acme\/variants in fp16 could not be fetched.*onnx\/model_fp16\.onnx/);
});

test("verify reads every variant that is here", async () => {
  await using hub = variantHub();
  using box = scratch();
  const access = { endpoint: hub.endpoint };
  for (const variant of variantsOn(model, ["cpu", "cuda"])) await pullModel({ model: variant, data: box.path, access });
  const [place] = await placesOf(model, box.path);
  const weights = (await listWeights({ data: box.path })).find(({ commit }) => commit === place?.commit);
  if (!weights) throw new Error("it is listed");
  expect(weights).toMatchObject({ state: "complete", bytes: 6040 });
  const files = await verifyWeights({ weights });
  expect(files.map(({ path, state }) => `${path} ${state}`).sort()).toEqual(
    Object.keys(variantFiles)
      .map((path) => `${path} right`)
      .sort(),
  );
});

const deviceOf = (kind: DeviceKind, mib: number, index = 0) => ({
  ...{ id: asId<never>(kind === "cpu" ? "cpu" : `${kind}:${index}`), kind, index, name: kind },
  memory: { total: bytes(mib * MIB), free: bytes(mib * MIB) },
});
const settings = { ...defaultSettings("/"), pools: [] };
const here = (...devices: ReturnType<typeof deviceOf>[]) =>
  createVariantsHere({ settings, devices })(model).map(({ dtype }) => dtype);

test("a box needs what its cards take; the CPU's only if it fits on none", () => {
  expect(here(deviceOf("cuda", 8192), deviceOf("cpu", 8192))).toEqual(["fp16"]);
  expect(here(deviceOf("cuda", 8), deviceOf("cpu", 8192))).toEqual(["fp32"]);
  expect(here(deviceOf("cpu", 8192))).toEqual(["fp32"]);
  const pool = { name: "slow", models: ["acme/*"], devices: ["cpu"], concurrency: 0, maxQueue: 1 };
  const pooled = createVariantsHere({
    settings: { ...settings, pools: [pool] },
    devices: [deviceOf("cuda", 8192), deviceOf("cpu", 8192)],
  });
  expect(pooled(model).map(({ dtype }) => dtype)).toEqual(["fp32"]);
});

test("a model that no device of its pool holds lacks memory: what it takes at least, and the most that there is", () => {
  const cards = [deviceOf("cuda", 8192), deviceOf("cuda", 12_288, 1), deviceOf("cpu", 4096)];
  const { devices: _, ...same } = model;
  const large = { ...same, memory: { ...model.memory, weights: 1e13 }, variants: {} };
  const lack = createLackHere({ settings, devices: cards });
  expect(lack(model)).toBeUndefined();
  const largest = createLackHere({ settings, devices: cards.slice(1, 2) })(large);
  expect(lack(large)?.needed).toBe(bytes(1e13 + model.memory.working));
  expect(lack(large)?.most).toBe(largest?.most ?? bytes(0));
  const pool = { name: "slow", models: ["acme/*"], devices: ["cpu"], concurrency: 0, maxQueue: 1 };
  const pooled = createLackHere({
    settings: { ...settings, pools: [pool] },
    devices: [...cards.slice(0, 2), deviceOf("cpu", 8)],
  });
  expect(pooled(model)).toBeDefined();
  expect(createLackHere({ settings, devices: [] })(large)).toBeUndefined();
});

const repository = {
  "config.json": new TextEncoder().encode('{"model_type":"birefnet"}'),
  "preprocessor_config.json": new TextEncoder().encode("{}"),
  "onnx/model.onnx": noise(4000, 5),
  "onnx/model_fp16.onnx": noise(2000, 6),
};

test("a repository is added for every kind of device, and each box pulls its own part", async () => {
  await using hub = createFakeHub({ repos: { "acme/cutter": { files: repository } } });
  using box = scratch();
  const tools = { ...openHub({ endpoint: hub.endpoint }), signal: new AbortController().signal };
  const order = { repo: "acme/cutter", revision: "main", data: box.path, tools };
  const added = await addModel({ ...order, wishes: { room: { kind: "cuda", bytes: 8e9 } } });
  expect(added.model.devices).toEqual({ cpu: "fp32", webgpu: "fp16", cuda: "fp16" });
  expect(added.bytes).toBe(2000 + 25 + 2);
  expect(added.unsure.join(" ")).toContain("It is fp32 on cpu, fp16 on webgpu and cuda: --dtype chooses otherwise");
  const { folder } = await pullModel({
    model: modelOn(added.model, "cuda"),
    data: box.path,
    access: { endpoint: hub.endpoint },
  });
  expect(onnxIn(folder)).toEqual(["model_fp16.onnx"]);
  expect(modelOn(added.model, "cuda").graphs).toEqual({ "onnx/model.onnx": "onnx/model_fp16.onnx" });

  const one = await addModel({ ...order, wishes: { id: "acme/half", dtypes: { cpu: "fp16" } } });
  expect(one.model).toMatchObject({
    dtype: "fp16",
    variants: {},
    graphs: { "onnx/model.onnx": "onnx/model_fp16.onnx" },
  });
  const failure = await failureOf(addModel({ ...order, wishes: { id: "acme/four", dtypes: { cuda: "q4" } } }));
  expect(failure.message).toBe("acme/cutter has onnx/model.onnx only as fp32, fp16.");
});
