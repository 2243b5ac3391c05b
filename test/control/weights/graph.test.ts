// What a pull leaves is what ONNX Runtime opens: a linked graph finds its linked external data.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openGraph } from "../../../src/engine/runner/session.ts";
import { createFakeHub } from "../../support/fake-hub.ts";
import { pullFrom, scratch } from "./setting.ts";

const external = join(import.meta.dir, "../../engine/tiny/external");

test("a graph with external data opens from its snapshot", async () => {
  using data = scratch();
  const files = {
    "onnx/model.onnx": readFileSync(join(external, "model.onnx")),
    "onnx/model.onnx_data": readFileSync(join(external, "model.onnx_data")),
  };
  await using hub = createFakeHub({ repos: { "owner/name": { files } } });
  const source = { repo: "owner/name", include: ["onnx/model.onnx"] };
  const { folder } = await pullFrom(hub, { source, data: data.path });
  const graph = await openGraph(join(folder, "onnx/model.onnx"), { device: { kind: "cpu", index: 0 }, threads: 1 });
  expect(graph.outputs.length).toBeGreaterThan(0);
  await graph.release();
});
