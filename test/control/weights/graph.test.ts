// What a pull leaves is what ONNX Runtime opens: a linked graph finds its linked external data.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openGraph } from "../../../src/engine/runner/session.ts";
import { createFakeHub } from "../../support/fake-hub.ts";
import { pullFrom, scratch } from "./setting.ts";

const external = join(import.meta.dir, "../../engine/tiny/external");

const files = {
  "onnx/model.onnx": readFileSync(join(external, "model.onnx")),
  "onnx/model.onnx_data": readFileSync(join(external, "model.onnx_data")),
};
const include = ["onnx/model.onnx"];

async function expectOpens(path: string): Promise<void> {
  const graph = await openGraph(path, { device: { kind: "cpu", index: 0 }, threads: 1 });
  expect(graph.outputs.length).toBeGreaterThan(0);
  await graph.release();
}

test("a graph with external data opens from its snapshot", async () => {
  using data = scratch();
  await using hub = createFakeHub({ repos: { "owner/name": { files } } });
  const { folder } = await pullFrom(hub, { source: { repo: "owner/name", include }, data: data.path });
  await expectOpens(join(folder, "onnx/model.onnx"));
});

test("so do those of several repositories from their common folder, of ours and of a cache", async () => {
  using data = scratch();
  await using hub = createFakeHub({ repos: { "owner/name": { files }, "owner/other": { files } } });
  const order = {
    source: { repo: "owner/name", include },
    beside: { other: { source: { repo: "owner/other", include } } },
  };
  const ours = await pullFrom(hub, { ...order, data: join(data.path, "ours") });
  const access = { caches: [join(data.path, "ours/weights")] };
  const others = await pullFrom(hub, { ...order, data: join(data.path, "others"), access });
  for (const folder of [ours.folder, others.folder])
    for (const name of ["", "other"]) await expectOpens(join(folder, name, "onnx/model.onnx"));
});
