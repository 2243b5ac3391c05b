// Weights changed in graphs that keep them in other files, as halves, or share them.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Assets, WeightChange } from "../../../src/core/pipeline.ts";
import { encode, type Field, textField } from "../../../src/engine/onnx-file/protobuf.ts";
import { openModelFile, type Replacement, withReplaced } from "../../../src/engine/onnx-file/replace-weights.ts";
import { weightsOfModules } from "../../../src/engine/onnx-file/weights-of-modules.ts";
import { openFolder } from "../support/load.ts";

setDefaultTimeout(60_000);

const scratch = mkdtempSync(join(tmpdir(), "forecourt-changed-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const message = (number: number, ...fields: Field[]): Field => ({
  number,
  wire: 2,
  value: Buffer.concat(encode(fields)),
});
const integer = (number: number, value: number): Field => ({ number, wire: 0, value });

/** [1, 2] of `type` times the same [2, 2] weights, for each of the modules. */
function productModel(type: 1 | 10, weights: Uint8Array, modules: string[]): Uint8Array {
  const value = (field: number, name: string) =>
    message(
      field,
      textField(1, name),
      message(2, message(1, integer(1, type), message(2, message(1, integer(1, 1)), message(1, integer(1, 2))))),
    );
  const nodes = modules.map((name) =>
    message(
      1,
      textField(1, "x"),
      textField(1, "shared"),
      textField(2, name),
      textField(3, `/${name}/MatMul`),
      textField(4, "MatMul"),
    ),
  );
  const initializer = message(5, integer(1, 2), integer(1, 2), integer(2, type), textField(8, "shared"), {
    number: 9,
    wire: 2,
    value: weights,
  });
  const graph = message(
    7,
    ...nodes,
    textField(2, "g"),
    initializer,
    value(11, "x"),
    ...modules.map((name) => value(12, name)),
  );
  return Buffer.concat(encode([integer(1, 8), graph, message(8, textField(1, ""), integer(2, 17))]));
}

const WEIGHTS = [1, 2, 3, 4];
const types = [
  ["float32", 1, (values: number[]) => Float32Array.from(values)],
  ["float16", 10, (values: number[]) => new Uint16Array(Float16Array.from(values).buffer)],
] as const;

test.each(types)(
  "%s: the module that is changed gets weights of its own, the one that shared them keeps them",
  async (dtype, type, make) => {
    const weights = make(WEIGHTS);
    writeFileSync(join(scratch, `${dtype}.onnx`), productModel(type, new Uint8Array(weights.buffer), ["a", "b"]));
    const assets = openFolder(scratch);
    // Of the module's own [out, in]: what goes from the second input to the first output.
    const change: WeightChange = ({ data, rows, columns }) => {
      expect([rows, columns]).toEqual([2, 2]);
      data[1] = (data[1] ?? 0) + 10;
    };
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("forecourt-weights-"));
    const graph = await assets.graph(`${dtype}.onnx`, { changes: { key: "k", added: new Map([["a", change]]) } });
    const results = await graph.run({ x: { dtype, shape: [1, 2], data: make([1, 1]) } });
    expect(results.a?.data).toEqual(make([1 + 3 + 10, 2 + 4]));
    expect(results.b?.data).toEqual(make([1 + 3, 2 + 4]));
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("forecourt-weights-"))).toEqual(before);
    await assets.release();
  },
);

const lora = join(import.meta.dir, "../../reference/families/sd-lora/unet/model.onnx");

/** The tiny UNet with the weights of its modules in a file beside it, as the legacy layout has them. */
function writeSplit(name: string): void {
  const model = openModelFile(new Uint8Array(readFileSync(lora)));
  const parts: Uint8Array[] = [];
  let offset = 0;
  const moved = [...weightsOfModules(model.graph).values()].flatMap((weight): Replacement[] => {
    const { content } = weight.initializer;
    if (!("bytes" in content) || content.bytes.length === 0) return [];
    const place = { weight, offset, length: content.bytes.length };
    parts.push(content.bytes);
    offset += content.bytes.length;
    return [place];
  });
  expect(moved.length).toBeGreaterThan(20);
  writeFileSync(join(scratch, name), Buffer.concat(withReplaced(model, moved, "weights.pb")));
  writeFileSync(join(scratch, "weights.pb"), Buffer.concat(parts));
}

async function predict(assets: Assets, path: string, added: Map<string, WeightChange>) {
  const graph = await assets.graph(path, { changes: { key: [...added.keys()].join(), added } });
  const floats = (shape: number[]) => {
    const size = shape.reduce((product, side) => product * side, 1);
    return { dtype: "float32" as const, shape, data: Float32Array.from({ length: size }, (_, at) => Math.sin(at)) };
  };
  const inputs = { sample: floats([1, 4, 8, 8]), timestep: floats([]), encoder_hidden_states: floats([1, 77, 16]) };
  return (await graph.run(inputs)).out_sample?.data;
}

test("weights in a file beside the graph are changed as those inside of it", async () => {
  writeSplit("split.onnx");
  const whole = openFolder(join(lora, ".."));
  const split = openFolder(scratch);
  const added = new Map<string, WeightChange>([
    [
      "down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
      ({ data }) =>
        data.forEach((value, at) => {
          data[at] = value + (at % 3);
        }),
    ],
    [
      "down_blocks_0_resnets_0_conv1",
      ({ data }) =>
        data.forEach((value, at) => {
          data[at] = value * 2;
        }),
    ],
    [
      "time_embedding_linear_1",
      ({ data }) =>
        data.forEach((value, at) => {
          data[at] = value - (at % 2);
        }),
    ],
  ]);
  const wanted = await predict(whole, "model.onnx", added);
  expect(await predict(split, "split.onnx", added)).toEqual(wanted ?? new Float32Array());
  const plain = await predict(whole, "model.onnx", new Map());
  expect(plain).not.toEqual(wanted ?? new Float32Array());
  expect(await predict(split, "split.onnx", new Map())).toEqual(plain ?? new Float32Array());
});

test("changes of weights that are not there are refused, and the graph stays open", async () => {
  const assets = openFolder(join(lora, ".."));
  const graph = await assets.graph("model.onnx");
  const refused = assets.graph("model.onnx", {
    changes: { key: "other", added: new Map([["no_such_module", () => {}]]) },
  });
  await expect(refused).rejects.toMatchObject({ code: "invalid_input", problems: [{ loc: ["body", "loras"] }] });
  expect(await assets.graph("model.onnx")).toBe(graph);
});
