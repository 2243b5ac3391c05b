// Models of bodies in space and of their movement, as bare graphs: RTMW3D, MediaPipe's pose, QtMeshEditor's text to motion. models.md 4.3.
import { VOCABULARIES } from "../../../engine/motion/clip.ts";
import { type Family, type Finding, present } from "./finding.ts";
import { pickBare, pickGraph } from "./pick-graph.ts";
import { isYolox } from "./pose.ts";
import type { Repository } from "./repository.ts";

const GRAPH = "onnx/model.onnx";
const DETECTOR = `detector/${GRAPH}`;
/** Activations at 384 x 288 with a YOLOX beside it, and frames; the same at 256 x 256; some dozen frames of 22 joints. */
const [WHOLE_BODY_BYTES, MEDIAPIPE_BYTES, WORDS_BYTES] = [1.2e9, 400e6, 60e6];

const pathsOf = ({ files }: Repository, pattern: RegExp) =>
  files.map(({ path }) => path).filter((path) => pattern.test(path));

const capturing = (found: Pick<Finding, "graphs" | "files" | "working" | "unsure">): Finding => ({
  pipeline: "capture-motion",
  category: "image-to-3d",
  description: "Captures how a person moves, as a skeleton with its animation",
  defaults: {},
  unit: "image",
  ...found,
});

const alone = (detector: string) =>
  `It has no detector and takes the first picture for one person: put ${detector} into the folder detector/ of its weights to find people, see \`beside\` in models/README.md.`;

const WHOLE_BODY = /(^|\/)rtmw3d[^/]*\.onnx$/i;

export const hasWholeBody = (repository: Repository) => pathsOf(repository, WHOLE_BODY).length > 0;

export const wholeBody: Family = (repository, wishes) => {
  const { graph, unsure } = pickBare(repository, pathsOf(repository, WHOLE_BODY), wishes);
  const beside = repository.files.find(({ path }) => isYolox(path))?.path;
  const detector = beside === undefined ? undefined : pickGraph(repository, { graph: beside, kind: wishes.kind });
  return capturing({
    graphs: { [GRAPH]: graph, ...(detector && { [DETECTOR]: detector }) },
    files: [...graph.files, ...(detector?.files ?? [])],
    working: WHOLE_BODY_BYTES,
    unsure: [
      `By the name of ${graph.path} it is RTMW3D, and gives its points along three edges; graphs that give finished points are not read.`,
      beside === undefined ? alone("a YOLOX") : `${beside} is taken for its detector.`,
      ...unsure,
    ],
  });
};

const MEDIAPIPE = /(^|\/)pose_estimation_mediapipe[^/]*\.onnx$/i;
const MEDIAPIPE_PEOPLE = /(^|\/)person_detection_mediapipe[^/]*\.onnx$/i;

export const hasMediapipePose = (repository: Repository) => pathsOf(repository, MEDIAPIPE).length > 0;

export const mediapipePose: Family = (repository, wishes) => {
  const { graph, unsure } = pickBare(repository, pathsOf(repository, MEDIAPIPE), wishes);
  const people = pathsOf(repository, MEDIAPIPE_PEOPLE);
  const detector = people.length === 0 ? undefined : pickBare(repository, people, { kind: wishes.kind }).graph;
  return capturing({
    graphs: { [GRAPH]: graph, ...(detector && { [DETECTOR]: detector }) },
    files: [...graph.files, ...(detector?.files ?? [])],
    working: MEDIAPIPE_BYTES,
    unsure: [
      detector ? `${detector.path} is taken for its detector.` : alone("MediaPipe's person_detection_mediapipe"),
      ...unsure,
    ],
  });
};

const WORDS = /(^|\/)t2m\.onnx$/i;

/** The pipeline looks for its words at these places alone. */
const wordsOf = (repository: Repository) => present(repository, VOCABULARIES)[0];

export const hasMotionWords = (repository: Repository) =>
  pathsOf(repository, WORDS).length > 0 && wordsOf(repository) !== undefined;

export const motionWords: Family = (repository, wishes) => {
  const { graph, unsure } = pickBare(repository, pathsOf(repository, WORDS), wishes);
  const words = wordsOf(repository);
  return {
    pipeline: "text-to-motion",
    category: "text-to-3d",
    description: "Makes a skeleton of 22 joints move by one of its actions",
    graphs: { [GRAPH]: graph },
    files: [...graph.files, ...(words === undefined ? [] : [words])],
    defaults: {},
    working: WORDS_BYTES,
    unit: "second",
    unsure: [`By the name of ${graph.path} it is a model of motions by words; ${words} names its actions.`, ...unsure],
  };
};
