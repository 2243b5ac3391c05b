// CLIP and SigLIP as models that embed: a tower for texts and one for pictures. models.md 3.1.
import { configOf, type Family, requireFiles, tokenizerFiles } from "./finding.ts";
import { hasGraph, pickGraphs } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

const TOWERS = ["onnx/text_model.onnx", "onnx/vision_model.onnx"];
export const WHOLE = "onnx/model.onnx";
/** Activations of a pass of pictures through a ViT-L, rounded up. */
const WORKING_BYTES = 600e6;
const PLACES = 16;

export const towers: Family = (repository, wishes) => {
  const graphs = towerGraphs(repository, TOWERS, wishes);
  const width = widthOf(repository);
  return {
    pipeline: "embed",
    category: "embedding",
    description: `Turns texts and pictures into embeddings${width === undefined ? "" : ` of ${width} numbers`}`,
    graphs,
    files: [
      ...requireFiles(repository, ["config.json", "preprocessor_config.json"]),
      ...tokenizerFiles(repository, ""),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: {},
    working: WORKING_BYTES,
    limits: { maxBatch: PLACES },
    unit: "token",
    unsure: [],
  };
};

/** Two graphs save the half of the work that one of both towers does for nothing. */
export function towerGraphs(repository: Repository, towers: readonly string[], wish: Parameters<typeof pickGraphs>[2]) {
  const isSplit = towers.every((graph) => hasGraph(repository, graph));
  const wanted = isSplit || !hasGraph(repository, WHOLE) ? towers : [WHOLE];
  return pickGraphs(repository, wanted, wish);
}

/** Numbers of an embedding, where config.json says: CLIP's by its projection, SigLIP's by its towers. */
export function widthOf(repository: Repository): number | undefined {
  const { projection_dim: width, vision_config: vision } = configOf(repository, "config.json");
  if (typeof width === "number") return width;
  const own = typeof vision === "object" && vision !== null && "hidden_size" in vision ? vision.hidden_size : undefined;
  return typeof own === "number" ? own : undefined;
}
