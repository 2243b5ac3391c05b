// A folder in the layout of diffusers and optimum, one folder for each part of a model, or with all graphs in its root.
import type { Assets, Graph, GraphWish } from "../../core/pipeline.ts";

export type Repository = {
  assets: Assets;
  /** The graph of a part, e.g. "unet". */
  graph(part: string, wish?: GraphWish): Promise<Graph>;
  has(part: string): boolean;
  /** A JSON file; empty where it is missing. The caller says what it expects of it and checks what it uses. */
  optional<T extends object>(path: string): Promise<Partial<T>>;
  /** scheduler/scheduler_config.json */
  scheduler(): Promise<Record<string, unknown>>;
};

export function openRepository(assets: Assets): Repository {
  const graphOf = (part: string) => (assets.has(`${part}.onnx`) ? `${part}.onnx` : `${part}/model.onnx`);
  return {
    assets,
    graph: (part, wish) => assets.graph(graphOf(part), wish),
    has: (part) => assets.has(graphOf(part)),
    optional: async <T extends object>(path: string): Promise<Partial<T>> =>
      assets.has(path) ? await assets.json<T>(path) : {},
    scheduler: () => assets.json("scheduler/scheduler_config.json"),
  };
}
