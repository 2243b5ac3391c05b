// Models that tell how far things are, in transformers.js' layout. models.md 3.1.
import { type Family, requireFiles } from "./finding.ts";
import { pickGraph } from "./pick-graph.ts";

const GRAPH = "onnx/model.onnx";
/** Activations of a ViT-L and its head at 518 pixels, rounded up. */
const WORKING_BYTES = 1.5e9;
/** Depth Pro looks at 35 pieces of 384 pixels at once. */
const PRO_WORKING_BYTES = 6e9;

/** By `model_type` of config.json. */
export const DEPTH = ["depth_anything", "dpt", "depth_pro"] as const;

export const depth: Family = (repository, wishes) => {
  const graph = pickGraph(repository, { graph: GRAPH, ...wishes });
  return {
    pipeline: "estimate-depth",
    category: "image-to-image",
    description: "Tells how far the things in a picture are",
    graphs: { [GRAPH]: graph },
    files: [...requireFiles(repository, ["config.json", "preprocessor_config.json"]), ...graph.files],
    defaults: {},
    working: /depth-?pro/i.test(repository.repo) ? PRO_WORKING_BYTES : WORKING_BYTES,
    unit: "image",
    unsure: ["For fal's endpoints add them to its aliases: fal-ai/imageutils/depth and so on."],
  };
};
