// Classifiers and detectors of pictures in transformers.js' layout, known by what they are for. models.md 3.1.
import { isUnsafe } from "../../../engine/labelling/unsafe-labels.ts";
import { configOf, type Family, type Finding, requireFiles, type Wishes } from "./finding.ts";
import { pickGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

const GRAPH = "onnx/model.onnx";
/** Activations of a picture of 800 x 1333 through a ResNet-101 and a transformer, rounded up. */
const WORKING_BYTES = 1.5e9;

type Task = Pick<Finding, "pipeline" | "description" | "unsure">;

const familyOf =
  (taskOf: (repository: Repository, wishes: Wishes) => Task): Family =>
  (repository, wishes) => {
    const graph = pickGraph(repository, { graph: GRAPH, ...wishes });
    return {
      ...taskOf(repository, wishes),
      category: "vision",
      graphs: { [GRAPH]: graph },
      files: [...requireFiles(repository, ["config.json", "preprocessor_config.json"]), ...graph.files],
      defaults: {},
      working: WORKING_BYTES,
      unit: "image",
    };
  };

const classifier = familyOf((repository, { pipeline }) => {
  const { id2label: labels } = configOf(repository, "config.json");
  const checks = typeof labels === "object" && labels !== null && Object.values(labels).map(String).some(isUnsafe);
  if (!checks || pipeline === "classify-image")
    return { pipeline: "classify-image", description: "Names what is in a picture", unsure: [] };
  return {
    pipeline: "check-image",
    description: "Tells whether a picture is not safe for work",
    unsure: ["For fal's endpoints add them to its aliases: fal-ai/imageutils/nsfw and fal-ai/x-ailab/nsfw."],
  };
});

const detector = familyOf(() => ({
  pipeline: "detect-objects",
  description: "Finds things of known kinds in a picture",
  unsure: [],
}));

/** These look for what texts say. */
const BY_TEXT = /^(owlvit|owlv2|grounding|mm-grounding|omdet)/;

/** By the end of the architecture's name; undefined for what is for something else. */
export function labellingOf(type: string, architectures: unknown): Family | undefined {
  const [name] = Array.isArray(architectures) ? architectures.map(String) : [];
  if (name?.endsWith("ForImageClassification")) return classifier;
  return name?.endsWith("ForObjectDetection") && !BY_TEXT.test(type) ? detector : undefined;
}
