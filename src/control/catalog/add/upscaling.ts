// Upscalers: Swin2SR in transformers.js' layout, and bare ONNX files of Real-ESRGAN and its kin. models.md 3.1.
import { type Family, type Finding, present, requireFiles } from "./finding.ts";
import { type PickedGraph, pickBare, pickGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

const GRAPH = "onnx/model.onnx";
/** Activations of a tile of 256 x 256 through an RRDBNet of 23 blocks, and a picture of 64 megapixels. */
const WORKING_BYTES = 2e9;

export const swin2sr: Family = (repository, wishes) => {
  const graph = pickGraph(repository, { graph: GRAPH, ...wishes });
  const files = [...requireFiles(repository, ["config.json"]), ...present(repository, ["preprocessor_config.json"])];
  return upscaler({ graph, files, defaults: {}, unsure: [] });
};

/** Real-ESRGAN's and fal's names of weights, by what file names have in common. */
const VARIANTS: [RegExp, string][] = [
  [/x2plus/i, "RealESRGAN_x2plus"],
  [/anime_?6b/i, "RealESRGAN_x4plus_anime_6B"],
  [/wdn/i, "RealESRGAN_x4_wdn_v3"],
  [/anime.*v3/i, "RealESRGAN_x4_anime_v3"],
  [/x4.*v3/i, "RealESRGAN_x4_v3"],
  [/esrgan/i, "RealESRGAN_x4plus"],
];

const isUpscaler = (path: string) => /\.onnx$/i.test(path) && /esrgan/i.test(path);

/** Such repositories say nothing of themselves: the names of their files do. */
export const hasBareUpscaler = ({ files }: Repository) => files.some(({ path }) => isUpscaler(path));

export const bareUpscaler: Family = (repository, wishes) => {
  const paths = repository.files.map(({ path }) => path).filter(isUpscaler);
  // Of several the one that fal takes when nothing is said.
  const ranked = paths.toSorted(
    (a, b) => Number(variantOf(b) === "RealESRGAN_x4plus") - Number(variantOf(a) === "RealESRGAN_x4plus"),
  );
  const { graph, unsure } = pickBare(repository, ranked, wishes);
  const variant = variantOf(graph.path);
  return upscaler({
    graph,
    files: [],
    defaults: { model: variant },
    unsure: [`By its name ${graph.path} is what fal calls ${variant}: defaults.model says otherwise.`, ...unsure],
  });
};

const variantOf = (path: string) => VARIANTS.find(([name]) => name.test(path))?.[1] ?? "RealESRGAN_x4plus";

type Found = Pick<Finding, "files" | "defaults" | "unsure"> & { graph: PickedGraph };

const upscaler = ({ graph, files, ...found }: Found): Finding => ({
  pipeline: "upscale",
  category: "image-to-image",
  description: "Enlarges pictures and draws their details",
  graphs: { [GRAPH]: graph },
  files: [...files, ...graph.files],
  working: WORKING_BYTES,
  unit: "megapixel",
  ...found,
});
