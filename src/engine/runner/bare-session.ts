// Times the denoiser's session alone, on the very tensors that the pipeline gives it: what a step would cost with
// nothing around it. For the benchmark.
import { createInterface } from "node:readline";
import { invariant } from "../../core/errors.ts";
import type { ImageCodec, Task } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Model } from "../model.ts";
import { pipelineOf } from "../pipelines/registry.ts";
import { createAssets } from "./assets.ts";
import { prepareNatives } from "./native.ts";

export type BareSessionOrder = {
  model: Model;
  /** Checked, with all defaults: the same as the pipeline would get from the server. */
  input: Record<string, unknown>;
  weights: string;
  runtime: string;
  threads: number;
};

/** A process of its own for the benchmark: reads numbers of calls from stdin, writes milliseconds a call to stdout. */
export async function runBareSession(order: BareSessionOrder): Promise<number> {
  const timeCalls = await openBareSession(order);
  for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(`${await timeCalls(Number(line))}\n`);
  return 0;
}

/** Mean milliseconds of one call over `count` calls in a row. */
type TimeCalls = (count: number) => Promise<number>;

/** The graph that a step calls once, in the Stable Diffusion layout. */
const DENOISER = "unet/model.onnx";

async function openBareSession({ model, input, weights, runtime, threads }: BareSessionOrder): Promise<TimeCalls> {
  await prepareNatives({ runtime });
  const { openGraph } = await import("./session.ts");
  let call: (() => Promise<unknown>) | undefined;
  const assets = createAssets({
    folder: weights,
    codec: noCodec,
    openTransformers: never,
    async open(path) {
      const graph = await openGraph(path, { device: { kind: "cpu", index: 0 }, threads });
      if (!path.endsWith(DENOISER)) return graph;
      const run = (tensors: Record<string, Tensor>) => {
        call ??= () => graph.run(tensors);
        return graph.run(tensors);
      };
      return { ...graph, run };
    },
  });
  const run = await pipelineOf(model).load(assets);
  const task: Task<Record<string, unknown>> = { input, media: never, save: never, log() {} };
  for await (const { step } of run([task], new AbortController().signal)) if (step.type === "progress") break;
  return async (count) => {
    invariant(call, `${model.id} called no ${DENOISER}`);
    const begun = performance.now();
    for (let i = 0; i < count; i++) await call();
    return (performance.now() - begun) / count;
  };
}

const never = () => Promise.reject(new Error("a bare session has its graphs alone"));
const noCodec: ImageCodec = { decode: never, encode: never, film: never, animate: never };
