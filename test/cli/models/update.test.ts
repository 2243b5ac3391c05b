// `forecourt models update` where no server runs.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeGraph } from "../../../src/engine/graph-file/graph-file.ts";
import { createFakeHub } from "../../support/fake-hub.ts";
import { testModel } from "../../support/test-models.ts";
import { forecourt, newFolder, removeFolders } from "../command.ts";

afterAll(removeFolders);

const [FIRST, SECOND, THIRD] = ["a", "b", "c"].map((digit) => digit.repeat(40)) as [string, string, string];

function graph(output: string, amount: number): Uint8Array {
  const port = { dtype: "float32", shape: [1, 1] } as const;
  return encodeGraph({
    inputs: [{ ...port, name: "x" }],
    outputs: [{ ...port, name: output }],
    weights: [{ ...port, name: "w", content: new Uint8Array(Float32Array.of(amount).buffer) }],
    nodes: [{ op: "Add", inputs: ["x", "w"], outputs: [output] }],
  });
}

test("a new revision is tried and taken, a broken one is told with exit code 1, and both are shown", async () => {
  const revisions = {
    [FIRST]: { "model.onnx": graph("y", 1) },
    [SECOND]: { "model.onnx": graph("y", 2) },
    [THIRD]: { "model.onnx": graph("z", 3) },
  };
  await using hub = createFakeHub({ repos: { "acme/adder": { files: {}, revisions } } });
  hub.point("acme/adder", FIRST);
  const data = newFolder();
  mkdirSync(join(data, "models"));
  const { text } = testModel("acme/one", {
    sizeMb: 10,
    pipeline: "onnx",
    source: { repo: "acme/adder", revision: "main", include: ["*.onnx"], bytes: 150 },
    onnx: {
      inputs: { x: { kind: "tensor", description: "A number.", shape: [1, 1] } },
      outputs: { y: { kind: "tensor", tensor: "y" } },
    },
    examples: [{ x: [1] }],
  });
  writeFileSync(join(data, "models", "one.yaml"), text);
  const env = {
    FORECOURT_HUB_ENDPOINT: hub.endpoint,
    FORECOURT_DEVICE: "cpu",
    FORECOURT_PORT: "1",
    HF_HOME: "/nonexistent",
  };
  const models = (...words: string[]) => forecourt(["models", ...words, "--data", data], env);

  expect((await models("update", "acme/one")).stdout).toContain("not on this disk");
  expect((await models("pull", "acme/one")).exitCode).toBe(0);
  hub.point("acme/adder", SECOND);
  expect((await models("update")).stderr).toContain("No model follows a branch");
  const taken = await models("update", "acme/one");
  expect(taken.stdout).toBe(`acme/one: ${SECOND.slice(0, 12)} in place of ${FIRST.slice(0, 12)}\n`);
  expect(taken.exitCode).toBe(0);
  hub.point("acme/adder", THIRD);
  const broken = await models("update", "acme/one", "--json");
  expect(broken.exitCode).toBe(1);
  expect(JSON.parse(broken.stdout)).toMatchObject([{ state: "failed", from: SECOND, to: THIRD }]);
  const shown = await models("show", "acme/one");
  expect(shown.stdout).toContain(`acme/adder, main: ${SECOND} since`);
  expect(shown.stdout).toMatch(/a{12} +b{12} +installed/);
  expect(shown.stdout).toMatch(/b{12} +c{12} +failed its trial/);
}, 240_000);
