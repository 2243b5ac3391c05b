// LaMa as a bare ONNX file, which takes things out of pictures. models.md 3.1.
import type { Family } from "./finding.ts";
import { pickBare } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

/** Activations of a big LaMa at 512 x 512, and a large picture with its mask. */
const WORKING_BYTES = 2e9;

/** Not every `llama.onnx`. */
const isEraser = (path: string) => /(^|[/_-])lama([._-][^/]*)?\.onnx$/i.test(path);

/** Such repositories say nothing of themselves: the names of their files do. */
export const hasBareEraser = ({ files }: Repository) => files.some(({ path }) => isEraser(path));

export const bareEraser: Family = (repository, wishes) => {
  const paths = repository.files.map(({ path }) => path).filter(isEraser);
  // Carve recommends the one that says so over its `lama.onnx`.
  const ranked = paths.toSorted((a, b) => Number(/fp32/i.test(b)) - Number(/fp32/i.test(a)));
  const { graph, unsure } = pickBare(repository, ranked, wishes);
  return {
    pipeline: "erase",
    category: "image-to-image",
    description: "Takes things out of pictures and fills the gaps",
    graphs: { "onnx/model.onnx": graph },
    files: graph.files,
    defaults: {},
    working: WORKING_BYTES,
    unit: "image",
    unsure: [
      "For fal's endpoints add them to its aliases: fal-ai/bria/eraser, fal-ai/object-removal/mask and /bbox.",
      ...unsure,
    ],
  };
};
