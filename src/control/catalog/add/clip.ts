// CLIP in transformers.js' layout: both towers in one graph. models.md 1.1 and 3.1.
import { configOf, type Family, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickGraph } from "./pick-graph.ts";

const GRAPH = "onnx/model.onnx";
/** Activations of one picture and 64 texts through a ViT-L and its text tower, rounded up. */
const WORKING_BYTES = 500e6;

export const clip: Family = (repository, { precision }) => {
  const graph = pickGraph(repository, { graph: GRAPH, ...(precision && { precision }) });
  const { projection_dim: width } = configOf(repository, "config.json");
  return {
    pipeline: "image-text-similarity",
    category: "vision",
    description: `Says how well texts describe a picture${typeof width === "number" ? `, by embeddings of ${width} numbers` : ""}`,
    graphs: { [GRAPH]: graph },
    files: [
      ...requireFiles(repository, ["preprocessor_config.json"]),
      ...present(repository, ["config.json"]),
      ...tokenizerFiles(repository, ""),
      ...graph.files,
    ],
    defaults: {},
    working: WORKING_BYTES,
    unit: "image",
    unsure: [],
  };
};
