// Opens a folder of weights on the CPU as a runner does, and runs pipelines on it without a runner.

import { complaintOf } from "../../../src/control/accounts/counted-units.ts";
import type { Assets, Pipeline, Step, Task } from "../../../src/core/pipeline.ts";
import { parse, type Static, type TObject } from "../../../src/core/schema.ts";
import { createAssets, type LoadedAssets } from "../../../src/engine/runner/assets.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { hideFloat16Array } from "../../../src/engine/runner/hide-float16-array.ts";
import { openGraph } from "../../../src/engine/runner/session.ts";

/** `graphs`: as a model file has it, paths of graphs that are opened instead of others. */
export const openFolder = (folder: string, graphs: Record<string, string> = {}): LoadedAssets =>
  createAssets({
    folder,
    graphs,
    open: (path) => openGraph(path, { device: { kind: "cpu", index: 0 }, threads: 1 }),
    async openTransformers(className) {
      const { openTransformers } = await hideFloat16Array(() => import("../../../src/engine/runner/transformers.ts"));
      return openTransformers(className, { folder, graphs: {}, device: { kind: "cpu", index: 0 }, threads: 1 });
    },
    codec: createCodec(),
  });

/** For pipelines that open graphs alone. */
export const noTransformers = () => Promise.reject(new Error("only graphs are opened here"));

export type Ran<Out> = {
  steps: Step<Out>[];
  output: Out;
  units: Record<string, number>;
  files: Map<string, Uint8Array>;
  log: string[];
};

/** One job through a pipeline; what it saves is kept in `files`. */
export async function runOnce<In extends TObject, Out extends TObject>(
  pipeline: Pipeline<In, Out>,
  {
    assets,
    input,
    signal,
    media,
    wantsPartials = false,
  }: {
    assets: Assets;
    input: Record<string, unknown>;
    signal?: AbortSignal;
    media?: (url: string) => Promise<Uint8Array>;
    wantsPartials?: boolean;
  },
): Promise<Ran<Static<Out>>> {
  const files = new Map<string, Uint8Array>();
  const log: string[] = [];
  const task: Task<Static<In>> = {
    input: parse(pipeline.input, input),
    media: media ?? (async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer())),
    async save(bytes, { name, contentType }) {
      files.set(name, bytes);
      return { url: `forecourt-file:${name}`, content_type: contentType, file_name: name, file_size: bytes.length };
    },
    log: (message) => log.push(message),
    wantsPartials,
  };
  const run = await pipeline.load(assets);
  const steps: Step<Static<Out>>[] = [];
  for await (const { step } of run([task], signal ?? new AbortController().signal)) steps.push(step);
  const last = steps.at(-1);
  if (last?.type !== "output") throw new Error("the pipeline gave no output");
  const undeclared = Object.keys(last.units).filter((unit) => complaintOf(unit, pipeline.counts) !== undefined);
  if (undeclared.length > 0) throw new Error(`the pipeline counts ${undeclared} and does not declare it`);
  return { steps, output: last.value, units: last.units, files, log };
}
