// Background removers in transformers.js' layout: BiRefNet, BEN and MODNet. models.md 3.1.
import { type Family, present, requireFiles } from "./finding.ts";
import { pickGraph } from "./pick-graph.ts";

const GRAPH = "onnx/model.onnx";
/** Activations of a BiRefNet at 1024 x 1024, rounded up, and a large picture with its mask. */
const WORKING_BYTES = 4e9;
/** MODNet sees pictures at 512 pixels. */
const SMALL_WORKING_BYTES = 600e6;

/** By `model_type` of config.json. */
export const MATTING = ["birefnet", "ben", "modnet"] as const;

export const matting: Family = (repository, wishes) => {
  const graph = pickGraph(repository, { graph: GRAPH, ...wishes });
  const isPortrait = /modnet/i.test(repository.repo);
  return {
    pipeline: "remove-background",
    category: "image-to-image",
    description: isPortrait ? "Cuts people out of pictures" : "Cuts the subject out of a picture",
    graphs: { [GRAPH]: graph },
    files: [
      ...requireFiles(repository, ["preprocessor_config.json"]),
      ...present(repository, ["config.json"]),
      ...graph.files,
    ],
    defaults: { model: variantOf(repository.repo) },
    working: isPortrait ? SMALL_WORKING_BYTES : WORKING_BYTES,
    unit: "image",
    unsure: [`By its name it is what fal calls "${variantOf(repository.repo)}": defaults.model says otherwise.`],
  };
};

/** Which of the weights of fal-ai/birefnet a repository holds. */
function variantOf(repo: string): string {
  if (/portrait|modnet/i.test(repo)) return "Portrait";
  if (/matting/i.test(repo)) return "Matting";
  if (/dynamic/i.test(repo)) return "General Use (Dynamic)";
  if (!/lite|light|512/i.test(repo)) return "General Use (Heavy)";
  return /2k|_hr/i.test(repo) ? "General Use (Light 2K)" : "General Use (Light)";
}
