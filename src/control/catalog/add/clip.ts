// CLIP and SigLIP in transformers.js' layout, as models that compare: both towers in one graph. models.md 1.1 and 3.1.
import { ForecourtError } from "../../../core/errors.ts";
import { NAFLEX } from "../../../engine/embedding/siglip.ts";
import { configOf, type Family, requireFiles, tokenizerFiles } from "./finding.ts";
import { hasGraph, pickGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";
import { towers, WHOLE, widthOf } from "./towers.ts";

/** Activations of one picture and 64 texts through a ViT-L and its text tower, rounded up. */
const WORKING_BYTES = 500e6;

export const clip: Family = (repository, wishes) => {
  if (!hasGraph(repository, WHOLE) && hasTowers(repository)) throw towersAlone(repository);
  const graph = pickGraph(repository, { graph: WHOLE, ...wishes });
  const width = widthOf(repository);
  return {
    pipeline: "image-text-similarity",
    category: "vision",
    description: `Says how well texts describe a picture${width === undefined ? "" : `, by embeddings of ${width} numbers`}`,
    graphs: { [WHOLE]: graph },
    files: [
      ...requireFiles(repository, ["config.json", "preprocessor_config.json"]),
      ...tokenizerFiles(repository, ""),
      ...graph.files,
    ],
    defaults: {},
    working: WORKING_BYTES,
    unit: "image",
    unsure: [],
  };
};

/** Embeds where the repository has its towers alone; throws `misconfigured` for NaFlex. */
export const siglip: Family = (repository, wishes) => {
  refuseNaFlex(repository);
  const isSplit = wishes.pipeline === undefined && !hasGraph(repository, WHOLE) && hasTowers(repository);
  return isSplit ? towers(repository, wishes) : clip(repository, wishes);
};

export const siglipTowers: Family = (repository, wishes) => {
  refuseNaFlex(repository);
  return towers(repository, wishes);
};

const hasTowers = (repository: Repository) =>
  ["onnx/text_model.onnx", "onnx/vision_model.onnx"].every((graph) => hasGraph(repository, graph));

/** `siglip2` stands for NaFlex, whose pictures have no size of their own; SigLIP 2 of a fixed resolution is `siglip`. */
function refuseNaFlex(repository: Repository): void {
  const { model_type: type, vision_config: vision } = configOf(repository, "config.json");
  const hasSize = typeof vision === "object" && vision !== null && "image_size" in vision;
  if (type === "siglip2" && !hasSize)
    throw new ForecourtError("misconfigured", `${repository.repo}: ${NAFLEX}.`, {
      details: { reason: "unknown_architecture", architecture: "siglip2" },
    });
}

const towersAlone = ({ repo }: Repository) =>
  new ForecourtError(
    "misconfigured",
    `${repo} has no ${WHOLE}, only a graph for each tower, and these do not hold the scale of the logits: add it with --pipeline embed, or write a model file with the section similarity.`,
    { details: { reason: "no_graph" } },
  );
