// SAM and SAM 2 in transformers.js' layout: what sees the picture, and what answers points and boxes. models.md 1.3.
import { type Family, present, requireFiles } from "./finding.ts";
import { pickGraphs } from "./pick-graph.ts";

const GRAPHS = ["onnx/vision_encoder.onnx", "onnx/prompt_encoder_mask_decoder.onnx"];
/** A picture of 1024 pixels a side through a large encoder, and the masks of 64 points, rounded up. */
const WORKING_BYTES = 4e9;

/** By `model_type` of config.json. */
export const SEGMENTATION = ["sam", "sam2"] as const;

export const segmentation: Family = (repository, wishes) => {
  const graphs = pickGraphs(repository, GRAPHS, wishes);
  const isAll = wishes.pipeline === "segment-all";
  return {
    pipeline: isAll ? "segment-all" : "segment-image",
    category: "vision",
    description: isAll ? "Finds the masks of all things in a picture" : "Cuts out what points and boxes show",
    graphs,
    files: [
      ...requireFiles(repository, ["preprocessor_config.json"]),
      ...present(repository, ["config.json"]),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: {},
    working: WORKING_BYTES,
    unit: "image",
    unsure: isAll ? [] : ["`--pipeline segment-all` makes a model of it that finds everything in a picture."],
  };
};
