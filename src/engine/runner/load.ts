// Brings a model to life: its pipeline with the graphs and files of its weights folder.
import type { ImageCodec, Run } from "../../core/pipeline.ts";
import { pipelineOf } from "../pipelines/registry.ts";
import type { ToRunner } from "../protocol.ts";
import { createAssets } from "./assets.ts";
import { hideFloat16Array } from "./hide-float16-array.ts";
import { prepareNatives } from "./native.ts";
import { readMeanwhile } from "./prepare.ts";

export type LoadOrder = Extract<ToRunner, { type: "load" }>;
export type LoadedModel = {
  run: Run<Record<string, unknown>, Record<string, unknown>>;
  /** See Pipeline. */
  joins: boolean;
};

/** Native code is loaded when the pipeline first asks for it: one that needs none starts in milliseconds. */
export async function loadModel(
  { model, weights, warmups, threads, kept, ...place }: LoadOrder,
  warn: (message: string) => void,
): Promise<LoadedModel> {
  const natives = once(() => prepareNatives(place));
  const { execution } = model;
  const session = { device: place.device, threads: execution.threads || threads, execution };
  // Who has it warmed up wants its first answer as quick as the others.
  const isLate = execution.prepacking === "late" && warmups.length === 0;
  const assets = createAssets({
    folder: weights,
    scratch: place.runtime,
    graphs: model.graphs,
    async open(path, options) {
      await natives();
      if (process.platform === "linux") await readMeanwhile(path);
      const settings = { ...session, ...options };
      if (isLate) {
        const { gainsByLatePacking, openLate } = await import("./late-packing.ts");
        if (await gainsByLatePacking(path, settings)) return openLate(path, settings, { warn });
      }
      const { openKept } = await import("./kept-graph.ts");
      return openKept(path, settings, kept && { ...kept, warn });
    },
    async openTransformers(className) {
      await natives();
      const { openTransformers } = await hideFloat16Array(() => import("./transformers.ts"));
      return openTransformers(className, { folder: weights, graphs: model.graphs, ...session });
    },
    codec: lateCodec(async () => {
      await natives();
      const { createCodec } = await import("./codec.ts");
      return createCodec();
    }),
  });
  const pipeline = pipelineOf(model);
  return { run: await pipeline.load(assets), joins: pipeline.joins === true };
}

function lateCodec(make: () => Promise<ImageCodec>): ImageCodec {
  const codec = once(make);
  return {
    decode: async (bytes) => (await codec()).decode(bytes),
    encode: async (pixels, format) => (await codec()).encode(pixels, format),
    film: async (bytes) => (await codec()).film(bytes),
    animate: async (frames, wish) => (await codec()).animate(frames, wish),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
