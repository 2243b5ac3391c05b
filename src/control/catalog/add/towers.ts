// CLIP and SigLIP as models that embed: a tower for texts and one for pictures. models.md 3.1.
import { configOf, type Family, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickGraphs } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

const TOWERS = ["onnx/text_model.onnx", "onnx/vision_model.onnx"];
const WHOLE = "onnx/model.onnx";
/** Activations of a pass of pictures through a ViT-L, rounded up. */
const WORKING_BYTES = 600e6;
const PLACES = 16;

export const towers: Family = (repository, { precision }) => {
  const graphs = towerGraphs(repository, TOWERS, { precision });
  const { projection_dim: width } = configOf(repository, "config.json");
  return {
    pipeline: "embed",
    category: "embedding",
    description: `Turns texts and pictures into embeddings${typeof width === "number" ? ` of ${width} numbers` : ""}`,
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
  const isSplit = towers.every((graph) =>
    repository.files.some(({ path }) => path.startsWith(graph.slice(0, -".onnx".length)) && path.endsWith(".onnx")),
  );
  const wanted = isSplit || present(repository, [WHOLE]).length === 0 ? towers : [WHOLE];
  return pickGraphs(repository, wanted, wish);
}
