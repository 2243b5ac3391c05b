// Names of classes against the scores that a graph gives: a list of another length names every class wrongly.
import { expect, test } from "bun:test";
import type { Assets, Graph } from "../../../src/core/pipeline.ts";
import { classes } from "../../../src/engine/onnx/outputs/classes.ts";
import { tensorOf } from "../../../src/engine/tensor/tensor.ts";

const graphOf = (shape: (number | string)[]): Graph => ({
  inputs: [],
  outputs: [{ name: "scores", dtype: "float32", shape }],
  run: async () => ({}),
});
const noAssets: Assets = Object.create(null);

const open = (labels: string[], shape: (number | string)[]) =>
  classes.open(
    { kind: "classes", labels, activation: "none", top: 5 },
    { name: "kinds", graph: graphOf(shape), assets: noAssets },
  );
const results = [{ scores: tensorOf("float32", [1, 3], [0.25, 0.5, 0.125]) }];
const savePicture = () => Promise.reject(new Error("there is no picture in it"));
const outcome = { results, options: { top_k: 2 }, savePicture };

test("as many names as scores name them, and none leave them with their numbers", async () => {
  for (const shape of [
    [1, 3],
    ["batch", "classes"],
  ]) {
    const named = await open(["red", "green", "blue"], shape);
    expect(await named(outcome)).toEqual({
      kinds: [
        { label: "green", score: 0.5 },
        { label: "red", score: 0.25 },
      ],
    });
    const unnamed = await open([], shape);
    expect(await unnamed(outcome)).toMatchObject({ kinds: [{ label: "1" }, { label: "0" }] });
  }
});

test.each([[["red", "green"]], [["none", "red", "green", "blue"]]])(
  "%j for three scores are refused: at the load where the graph tells how many, else at the run",
  async (labels) => {
    const refusal = {
      code: "misconfigured",
      message: `onnx.outputs.kinds.labels are ${labels.length} names, and the graph gives 3 scores`,
    };
    await expect(open(labels, [1, 3])).rejects.toMatchObject(refusal);
    const late = await open(labels, ["batch", "classes"]);
    await expect((async () => late(outcome))()).rejects.toMatchObject(refusal);
  },
);
