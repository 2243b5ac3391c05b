import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ForecourtError } from "../../../src/core/errors.ts";
import { openGraph } from "../../../src/engine/runner/session.ts";
import { tensorOf, toFloats } from "../../../src/engine/tensor/tensor.ts";

const TINY = join(import.meta.dir, "../tiny");
const cpu = { device: { kind: "cpu", index: 0 }, threads: 1 } as const;
let scratch = "";
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "forecourt-session-"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

async function failureOf(promise: Promise<unknown>): Promise<ForecourtError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ForecourtError) return error;
    throw error;
  }
  throw new Error("expected a ForecourtError");
}

test("a graph tells the dtype and shape of its inputs and outputs", async () => {
  const graph = await openGraph(join(TINY, "optimum/unet/model.onnx"), cpu);
  expect(graph.inputs).toEqual([
    { name: "sample", dtype: "float32", shape: ["batch", 4, "height", "width"] },
    { name: "timestep", dtype: "int64", shape: [] },
    { name: "encoder_hidden_states", dtype: "float32", shape: ["batch", "tokens", 8] },
  ]);
  expect(graph.outputs.map(({ name }) => name)).toEqual(["out_sample"]);
  await graph.release();
});

for (const [layout, dtype] of [
  ["optimum", "float32"],
  ["legacy", "float16"],
] as const) {
  test(`a ${dtype} graph computes what its formula says`, async () => {
    const graph = await openGraph(join(TINY, layout, "unet/model.onnx"), cpu);
    const [, timestep] = graph.inputs;
    const results = await graph.run({
      sample: tensorOf(dtype, [1, 4, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      timestep: tensorOf(timestep?.dtype ?? "float32", timestep?.shape.length === 0 ? [] : [1], [100]),
      encoder_hidden_states: tensorOf(dtype, [1, 1, 8], new Array(8).fill(2)),
    });
    const [output] = Object.values(results);
    expect(output?.dtype).toBe(dtype);
    expect(output?.shape).toEqual([1, 4, 1, 2]);
    const wanted = [1, 2, 3, 4, 5, 6, 7, 8].map((value) => 0.3 * value + 0.05 + 0.1);
    const actual = output ? toFloats(output) : [];
    for (const [i, value] of wanted.entries()) expect(actual[i]).toBeCloseTo(value, dtype === "float16" ? 2 : 5);
    await graph.release();
  });
}

test("an input of the wrong size is told with both sizes", async () => {
  const graph = await openGraph(join(TINY, "optimum/unet/model.onnx"), cpu);
  const { message } = await failureOf(
    graph.run({
      sample: tensorOf("float32", [1, 5, 1, 1], [1, 2, 3, 4, 5]),
      timestep: tensorOf("int64", [], [100]),
      encoder_hidden_states: tensorOf("float32", [1, 1, 8], new Array(8).fill(2)),
    }),
  );
  expect(message).toMatch(/cannot run \S+model\.onnx: .*sample.*index: 1 Got: 5 Expected: 4/);
  expect(message).not.toContain("\n");
  await graph.release();
});

test("a run with a wrong name, a missing input or the wrong dtype says which", async () => {
  const graph = await openGraph(join(TINY, "optimum/text_encoder/model.onnx"), cpu);
  const ids = tensorOf("int64", [1, 2], [1, 2]);
  const failures = [
    await failureOf(graph.run({ input_ids: ids, other: ids })),
    await failureOf(graph.run({})),
    await failureOf(graph.run({ input_ids: tensorOf("int32", [1, 2], [1, 2]) })),
    await failureOf(graph.run({ input_ids: tensorOf("int64", [1, 1], [100_000]) })),
  ];
  expect(failures.map(({ code }) => code)).toEqual(new Array(4).fill("runner_failed"));
  expect(failures.map(({ message }) => message)).toEqual([
    expect.stringContaining('no input "other"'),
    expect.stringContaining('"input_ids" was not given'),
    expect.stringContaining("takes int64, not int32"),
    expect.stringContaining("indices element out of data bounds"),
  ]);
  await graph.release();
});

test("an absent file is missing weights, a broken one a failed runner, and both name the file", async () => {
  const absent = await failureOf(openGraph(join(scratch, "absent.onnx"), cpu));
  expect(absent.code).toBe("weights_missing");
  expect(absent.message).toContain("absent.onnx");
  const broken = join(scratch, "broken.onnx");
  writeFileSync(broken, "not a graph");
  const failure = await failureOf(openGraph(broken, cpu));
  expect(failure.code).toBe("runner_failed");
  expect(failure.details).toEqual({ file: broken });
});

test("a graph whose external data are absent is missing weights", async () => {
  const folder = join(scratch, "external");
  cpSync(join(TINY, "external"), folder, { recursive: true });
  const path = join(folder, "model.onnx");
  await (await openGraph(path, cpu)).release();
  rmSync(join(folder, "model.onnx_data"));
  expect((await failureOf(openGraph(path, cpu))).code).toBe("weights_missing");
});

test("a model's execution options reach onnxruntime", async () => {
  const path = join(TINY, "optimum/vae_decoder/model.onnx");
  const execution = { optimization: "disabled", arena: false, memoryPattern: false, session: {} } as const;
  await (await openGraph(path, { ...cpu, execution })).release();
  const asOrtFile = { ...execution, session: { "session.load_model_format": "ORT" } };
  expect((await failureOf(openGraph(path, { ...cpu, execution: asOrtFile }))).code).toBe("runner_failed");
});

test("a provider that this machine lacks is an error, never the CPU", async () => {
  const path = join(TINY, "optimum/unet/model.onnx");
  const failure = await failureOf(openGraph(path, { device: { kind: "cuda", index: 99 }, threads: 1 }));
  expect(failure.code).toBe("runner_failed");
});
