// Models that make 3D of a picture, as bare graphs: TripoSR in its two layouts, and MoGe-2. models.md 4.2 and 3.1.
import type { Family } from "./finding.ts";
import { pickBare, pickGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

/** A grid of 1024 points along an edge, with its mesh; the most detailed look at a picture of any size. */
const [TRIPOSR_BYTES, POINTS_BYTES] = [4e9, 3e9];

const ENCODER = /(^|\/)(triposr[_-]encoder|triplane)([_.-][^/]*)?\.onnx$/i;

/** In the same folder: each of the two encoders has a decoder of its own. */
function decoderOf({ files }: Repository, encoder: string): string | undefined {
  const folder = encoder.slice(0, encoder.lastIndexOf("/") + 1);
  const name = /triplane[^/]*$/i.test(encoder)
    ? "decoder.onnx"
    : encoder.match(/triposr[_-]/i)?.[0].concat("decoder.onnx");
  return files.find(({ path }) => path === `${folder}${name}`)?.path;
}

const encodersOf = (repository: Repository) =>
  repository.files.flatMap(({ path }) => (ENCODER.test(path) && decoderOf(repository, path) ? [path] : []));

export const hasTripoSr = (repository: Repository) => encodersOf(repository).length > 0;

export const tripoSr: Family = (repository, wishes) => {
  const { graph: encoder, unsure } = pickBare(repository, encodersOf(repository), wishes);
  const decoder = pickGraph(repository, {
    graph: decoderOf(repository, encoder.path) ?? "",
    kind: wishes.kind,
    dtype: "fp32",
  });
  return {
    pipeline: "image-to-3d",
    category: "image-to-3d",
    description: "Makes a coloured 3D model of the thing in a picture",
    graphs: { "encoder.onnx": encoder, "decoder.onnx": decoder },
    files: [...encoder.files, ...decoder.files],
    defaults: {},
    working: TRIPOSR_BYTES,
    unit: "request",
    unsure: [
      `By the names of ${encoder.path} and ${decoder.path} it is TripoSR.`,
      "It cuts nothing out by itself: pictures must be cut out already, or put a background remover beside it as models/README.md says (`beside: { matting: ... }`).",
      "For fal's endpoint add it to its aliases: fal-ai/triposr.",
      ...unsure,
    ],
  };
};

const MOGE = /moge-?2/i;

/** Their files are called as everybody's are. */
const pointMapsOf = ({ repo, files }: Repository) =>
  files
    .map(({ path }) => path)
    .filter(
      (path) =>
        /\.onnx$/i.test(path) && (MOGE.test(path) || (MOGE.test(repo) && /(^|\/)model[^/]*\.onnx$/i.test(path))),
    );

export const hasPointMap = (repository: Repository) => pointMapsOf(repository).length > 0;

export const pointMap: Family = (repository, wishes) => {
  const { graph, unsure } = pickBare(repository, pointMapsOf(repository), wishes);
  return {
    pipeline: "image-to-scene",
    category: "image-to-3d",
    description: "Makes a surface in metres, with the picture on it, of what a picture shows",
    graphs: { "onnx/model.onnx": graph },
    files: graph.files,
    defaults: {},
    working: POINTS_BYTES,
    unit: "image",
    unsure: [`By its name it is MoGe-2; ${graph.path} has to give points, a mask and the scale in metres.`, ...unsure],
  };
};
