// Model files against a Hub: what is as they say, and each way in which a repository can differ.
import { describe, expect, test } from "bun:test";
import { type Checked, createCheck } from "../../../../src/control/catalog/check/check-model.ts";
import { readModel } from "../../../../src/control/catalog/read-model.ts";
import { openHub } from "../../../../src/control/weights/access.ts";
import { pullModel } from "../../../../src/control/weights/pull-model.ts";
import { encodeGraph } from "../../../../src/engine/graph-file/graph-file.ts";
import { portsOf } from "../../../../src/engine/onnx-file/ports.ts";
import { COMMIT, createFakeHub, type FakeRepo, noise, sha256 } from "../../../support/fake-hub.ts";
import { testModel } from "../../../support/test-models.ts";
import { failureOf, scratch } from "../../weights/setting.ts";

const x = { name: "x", dtype: "float32", shape: ["n", 3] } as const;
const graph = encodeGraph({
  inputs: [x, { name: "w", dtype: "float32", shape: [3] }],
  outputs: [{ ...x, name: "y" }],
  weights: [{ name: "w", dtype: "float32", shape: [3], content: new Uint8Array(12) }],
  nodes: [{ op: "Add", inputs: ["x", "w"], outputs: ["y"] }],
});
const files = { "model.onnx": graph, "config.json": noise(40) };
const pinned = { path: "model.onnx", bytes: graph.byteLength, sha256: sha256(graph) };
const onnx = { inputs: { x: { kind: "tensor", description: "x", shape: [1, 3] } }, outputs: { y: { kind: "tensor" } } };

async function check(change: Record<string, unknown>, repo: Partial<FakeRepo> = {}): Promise<Checked> {
  await using hub = createFakeHub({ repos: { "owner/name": { files, ...repo } } });
  using folder = scratch();
  const checkModel = createCheck({
    ...openHub({ endpoint: hub.endpoint }),
    signal: new AbortController().signal,
    data: folder.path,
  });
  return await checkModel(readModel(testModel("a/b", change)));
}

const branch = (more: Record<string, unknown> = {}) => ({
  source: {
    repo: "owner/name",
    revision: "main",
    include: ["*.onnx", "config.json"],
    bytes: graph.byteLength + 40,
    ...more,
  },
});

test("a graph's file tells its inputs without those that have values, and its outputs", () => {
  expect(portsOf(graph)).toEqual({ inputs: [{ name: "x", dataType: 1 }], outputs: [{ name: "y", dataType: 1 }] });
  expect(() => portsOf(noise(100))).toThrow();
});

describe("no difference", () => {
  test("patterns that match, of about the size that is told", async () => {
    expect(await check(branch())).toEqual({
      model: "a/b",
      commit: COMMIT,
      differences: [],
      graphsRead: ["model.onnx"],
    });
  });

  test("pinned files", async () => {
    const source = { repo: "owner/name", revision: COMMIT, files: [pinned] };
    expect((await check({ source, pipeline: "onnx", onnx })).differences).toEqual([]);
  });

  test("models without a repository", async () => {
    expect((await check({})).differences).toEqual([]);
    expect((await check({ source: { path: "/nonexistent" } })).differences).toMatchObject([{ about: "/nonexistent" }]);
  });
});

describe("differs", () => {
  const cases: [string, Record<string, unknown>, object][] = [
    ["a pattern that matches nothing", branch({ include: ["*.onnx", "*.bin"] }), { about: "*.bin", found: "none" }],
    ["a size that is far off", branch({ bytes: 10 * graph.byteLength }), { about: "bytes" }],
    ["a graph that is not there", { ...branch(), graphs: { "a.onnx": "b.onnx" } }, { about: "b.onnx" }],
    ["a pinned file that is gone", at({ ...pinned, path: "gone.onnx" }), { about: "gone.onnx", found: "none" }],
    ["another size", at({ ...pinned, bytes: 5 }), { about: "model.onnx", expected: "5 bytes" }],
    ["another hash", at({ ...pinned, sha256: "0".repeat(64) }), { about: "model.onnx", found: sha256(graph) }],
    ["a repository that is not there", branch({ repo: "owner/none" }), { about: "owner/none" }],
    [
      "a licence that allows what the file forbids",
      { ...branch(), licence: { id: "mit", commercial: false } },
      { about: "licence", expected: "mit, no commercial use", found: "mit, commercial use" },
    ],
    [
      "a tensor that the graph has not",
      { ...branch(), pipeline: "onnx", onnx: { ...onnx, constants: { sr: 16000 } } },
      { about: "model.onnx: sr", found: "x" },
    ],
  ];
  test.each(cases)("%s", async (_, change, difference) => {
    expect((await check(change)).differences).toMatchObject([difference]);
  });

  test("any variant, also of devices that this box has not; what all share is told once", async () => {
    const file = { include: ["config.json", "gone.txt"], bytes: 40 };
    const source = { repo: "owner/name", revision: "main", ...file };
    const devices = { cpu: "fp32", webgpu: "fp16", cuda: "fp16" };
    const graphs = { "model.onnx": "model_fp16.onnx" };
    const variants = {
      fp32: { include: ["model.onnx"], bytes: graph.byteLength },
      fp16: { include: ["model_fp16.onnx"], bytes: 9, graphs },
    };
    const { differences, graphsRead } = await check({ source, devices, variants });
    expect(graphsRead).toEqual(["model.onnx"]);
    expect(differences.map(({ about, found }) => [about, found])).toEqual([
      ["gone.txt", "none"],
      ["model_fp16.onnx", "none"],
      ["model_fp16.onnx", "none"],
    ]);
  });

  test("what is no graph, and types that cannot be fed", async () => {
    expect((await check(branch(), { files: { ...files, "model.onnx": noise(400) } })).differences).toContainEqual(
      expect.objectContaining({ about: "model.onnx", expected: "an ONNX graph" }),
    );
    // Of the first output's type, bfloat16 in place of float32: 16 for 1 in its only two-byte field before the shape.
    const halves = Uint8Array.from(graph);
    const at = Buffer.from(halves).lastIndexOf(Buffer.from([0x08, 0x01, 0x12]));
    halves[at + 1] = 16;
    expect(portsOf(halves).outputs).toEqual([{ name: "y", dataType: 16 }]);
    expect((await check(branch(), { files: { ...files, "model.onnx": halves } })).differences).toMatchObject([
      { about: "model.onnx: y", found: "onnx data type 16" },
    ]);
  });
});

function at(file: Record<string, unknown>) {
  return { source: { repo: "owner/name", revision: COMMIT, files: [file] } };
}

test("large graphs are read where they lie on the disk, and else not at all", async () => {
  const large = encodeGraph({
    inputs: [x],
    outputs: [{ ...x, name: "y" }],
    weights: [{ name: "w", dtype: "uint8", shape: [5e6], content: noise(5e6) }],
    nodes: [{ op: "Add", inputs: ["x", "w"], outputs: ["y"] }],
  });
  await using hub = createFakeHub({ repos: { "owner/name": { files: { "model.onnx": large } } } });
  using folder = scratch();
  const source = { repo: "owner/name", revision: "main", include: ["*.onnx"], bytes: 5_000_000 };
  const model = readModel(testModel("a/b", { source }));
  const access = { endpoint: hub.endpoint };
  const signal = new AbortController().signal;
  const checkModel = createCheck({ ...openHub(access), signal, data: folder.path });
  expect(await checkModel(model)).toMatchObject({ differences: [], graphsRead: [] });
  expect(hub.files).toEqual([]);
  await pullModel({ model, data: folder.path, access });
  const fetched = hub.files.length;
  expect(await checkModel(model)).toMatchObject({ differences: [], graphsRead: ["model.onnx"] });
  expect(hub.files.length).toBe(fetched);
});

test("each repository is asked once, and one that is out of reach ends the check", async () => {
  await using hub = createFakeHub({ repos: { "owner/name": { files } } });
  using folder = scratch();
  const tools = { signal: new AbortController().signal, data: folder.path };
  const checkModel = createCheck({ ...openHub({ endpoint: hub.endpoint }), ...tools });
  await checkModel(readModel(testModel("a/b", branch())));
  await checkModel(readModel(testModel("a/c", branch({ include: ["config.json"], bytes: 40 }))));
  expect(hub.requests.filter(({ path }) => path.includes("/tree/"))).toHaveLength(1);
  const lost = createCheck({ ...openHub({ endpoint: "http://127.0.0.1:9" }), ...tools });
  expect(await failureOf(lost(readModel(testModel("a/b", branch()))))).toMatchObject({ code: "unavailable" });
});

test("every source is compared with its repository, and a graph may be of any of them", async () => {
  await using hub = createFakeHub({ repos: { "owner/name": { files }, "owner/other": { files } } });
  using folder = scratch();
  const signal = new AbortController().signal;
  const checkModel = createCheck({ ...openHub({ endpoint: hub.endpoint }), signal, data: folder.path });
  const checkBeside = async (other: Record<string, unknown>, graphs: Record<string, string>) => {
    const { source } = branch();
    const beside = { other: { source: { ...source, repo: "owner/other", ...other } } };
    return await checkModel(readModel(testModel("a/b", { source, beside, graphs })));
  };
  expect(await checkBeside({}, { "side.onnx": "other/model.onnx" })).toEqual({
    ...{ model: "a/b", commit: COMMIT, differences: [], graphsRead: ["model.onnx", "other/model.onnx"] },
  });
  const { differences } = await checkBeside({ include: ["*.bin"] }, { "side.onnx": "other/model.onnx" });
  expect(differences).toEqual([
    { about: "other: *.bin", expected: "a file that matches", found: "none" },
    { about: "other/model.onnx", expected: "the graph, among the files", found: "none" },
  ]);
  expect((await checkBeside({ repo: "owner/nowhere" }, {})).differences).toMatchObject([
    { about: "owner/nowhere", expected: "to be there" },
  ]);
});
