// A branch or tag is settled to a commit at the first download, and stays that until it is told otherwise.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readModel } from "../../../src/control/catalog/read-model.ts";
import { resolveWeights } from "../../../src/control/weights/embedded.ts";
import { pinOf } from "../../../src/control/weights/pins.ts";
import { presenceOf } from "../../../src/control/weights/presence.ts";
import { pullModel } from "../../../src/control/weights/pull-model.ts";
import { instant } from "../../../src/core/units.ts";
import { createFakeHub, noise } from "../../support/fake-hub.ts";
import { testModel } from "../../support/test-models.ts";
import { failureOf, scratch } from "./setting.ts";

const SOURCE = { repo: "owner/name", revision: "main", include: ["*.json", "onnx/*.onnx"], bytes: 1000 };
const modelOf = (id: string) => readModel(testModel(id, { source: SOURCE }));
const graph = noise(900);
const files = {
  "config.json": noise(50, 2),
  "onnx/model.onnx": graph,
  "onnx/model.onnx_data": noise(70, 3),
  "x.bin": graph,
};
const [FIRST, SECOND] = ["1".repeat(40), "2".repeat(40)];

const hubOf = () =>
  createFakeHub({
    repos: {
      "owner/name": { revisions: { [FIRST]: files, [SECOND]: { ...files, "onnx/model.onnx": noise(900, 9) } }, files },
    },
  });

test("the first download settles the commit, and later ones stay with it", async () => {
  await using hub = hubOf();
  using folder = scratch();
  const data = folder.path;
  const model = modelOf("a/b");
  const access = { endpoint: hub.endpoint };
  expect(await presenceOf({ model, data })).toEqual({ state: "absent", bytes: 0, wantedBytes: 1000 });
  hub.point("owner/name", FIRST);
  const clock = { now: () => instant(1234) };
  const { folder: first } = await pullModel({ model, data, access, clock });
  expect(await pinOf({ folder: "", ...model }, data)).toMatchObject({ commit: FIRST, at: 1234, revision: "main" });
  hub.point("owner/name", SECOND);
  expect((await pullModel({ model, data, access })).folder).toBe(first);
  expect(readFileSync(join(first, "onnx/model.onnx")).equals(graph)).toBe(true);
  expect(await resolveWeights({ model, data })).toBe(first);
  expect(await presenceOf({ model, data })).toMatchObject({
    state: "complete",
    wantedBytes: 1020,
    pin: { commit: FIRST },
  });
  // What the patterns do not name stays there.
  expect(hub.files.map(({ path }) => path).sort()).toEqual(["config.json", "onnx/model.onnx", "onnx/model.onnx_data"]);
});

test("a model of the same files is on the disk too, without a network", async () => {
  await using hub = hubOf();
  using folder = scratch();
  const data = folder.path;
  hub.point("owner/name", FIRST);
  const { folder: first } = await pullModel({ model: modelOf("a/b"), data, access: { endpoint: hub.endpoint } });
  const other = modelOf("a/b/other");
  expect(await presenceOf({ model: other, data })).toMatchObject({ state: "complete" });
  expect(await resolveWeights({ model: other, data })).toBe(first);
});

test("nothing is settled by a download that failed, nor for another revision of the model file", async () => {
  await using hub = createFakeHub({ repos: { "owner/name": { files: { "config.json": graph } } } });
  using folder = scratch();
  const data = folder.path;
  const model = modelOf("a/b");
  const failure = await failureOf(pullModel({ model, data, access: { endpoint: hub.endpoint } }));
  expect(failure).toMatchObject({ code: "misconfigured", details: { patterns: ["onnx/*.onnx"] } });
  expect(await pinOf({ folder: "", ...model }, data)).toBeUndefined();
  await using whole = hubOf();
  whole.point("owner/name", FIRST);
  await pullModel({ model, data, access: { endpoint: whole.endpoint } });
  const moved = readModel(testModel("a/b", { source: { ...SOURCE, revision: "v2" } }));
  expect(await pinOf({ folder: "", ...model }, data)).toMatchObject({ commit: FIRST });
  expect(await pinOf({ folder: "", ...moved }, data)).toBeUndefined();
});

test("without a network the way out is said", async () => {
  using folder = scratch();
  const failure = await failureOf(resolveWeights({ model: modelOf("a/b"), data: folder.path }));
  expect(failure).toMatchObject({ code: "weights_missing", details: { reason: "offline" } });
});
