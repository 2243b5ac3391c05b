// Florence-2 in transformers.js' layout: four graphs, one answer after the other. models.md 3.2.
import { type Family, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickGraphs } from "./pick-graph.ts";

const GRAPHS = ["vision_encoder", "embed_tokens", "encoder_model", "decoder_model_merged"].map(
  (name) => `onnx/${name}.onnx`,
);
/** A picture of 768 pixels a side through DaViT, and the keys and values of three beams, rounded up. */
const WORKING_BYTES = 1.5e9;

export const florence: Family = (repository, wishes) => {
  const graphs = pickGraphs(repository, GRAPHS, wishes);
  return {
    pipeline: "read-image",
    category: "vision",
    description: "Tells what is in a picture: captions, text, boxes and outlines",
    graphs,
    files: [
      ...requireFiles(repository, ["config.json", "preprocessor_config.json"]),
      ...tokenizerFiles(repository, ""),
      ...present(repository, ["generation_config.json"]),
      ...Object.values(graphs).flatMap(({ files }) => files),
    ],
    defaults: {},
    working: WORKING_BYTES,
    unit: "image",
    unsure: ["For fal's endpoints of Florence-2 add them to its aliases: fal-ai/florence-2-large/caption and so on."],
  };
};
