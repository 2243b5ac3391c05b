// Models that find people's points: ViTPose and YOLO's pose in transformers.js' layout, bare graphs by their names. models.md 4.3.
import { type Family, type Finding, present, requireFiles, type Wishes } from "./finding.ts";
import { pickGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

const GRAPH = "onnx/model.onnx";
/** Activations of a ViT-H at 256 x 192 or a YOLO at 640 x 640, a detector beside it and a large picture, rounded up. */
const WORKING_BYTES = 1e9;

const finding = (found: Pick<Finding, "graphs" | "files" | "unsure">): Finding => ({
  pipeline: "estimate-pose",
  category: "vision",
  description: "Finds the points of people's bodies and draws their skeletons",
  defaults: {},
  working: WORKING_BYTES,
  unit: "image",
  ...found,
  unsure: ["For fal's endpoint add it to its aliases: fal-ai/dwpose.", ...found.unsure],
});

const LOOKS_AT_ONE =
  "It looks at one person: a request gives boxes, or the whole picture is taken for one. Put a detector into the folder detector/ of its weights to find everyone.";

const picked = (repository: Repository, wishes: Wishes) => pickGraph(repository, { graph: GRAPH, ...wishes });

export const vitPose: Family = (repository, wishes) => {
  const graph = picked(repository, wishes);
  const files = [...requireFiles(repository, ["config.json", "preprocessor_config.json"]), ...graph.files];
  return finding({ graphs: { [GRAPH]: graph }, files, unsure: [LOOKS_AT_ONE] });
};

/** YOLO's configs name no task, and some name the architecture of another: the repository's name does. */
export const isYoloPose = ({ repo }: Repository, type: unknown) =>
  typeof type === "string" && /^yolo(v?\d+)/i.test(type) && /pose/i.test(repo);

export const yoloPose: Family = (repository, wishes) => {
  const graph = picked(repository, wishes);
  return finding({
    graphs: { [GRAPH]: graph },
    files: [...present(repository, ["config.json"]), ...graph.files],
    unsure: [],
  });
};

/** `yolo11n-pose.onnx`; and `dw-ll_ucoco_384.onnx`, `rtmpose-m.onnx`, `rtmw-x.onnx`, which look at one person. */
const isYolo = (path: string) => /(^|\/)[^/]*yolo[^/]*pose[^/]*\.onnx$/i.test(path);
const isSimcc = (path: string) => /(^|\/)(dw-[^/]*ucoco|[^/]*rtmpose|[^/]*rtmw-)[^/]*\.onnx$/i.test(path);

/** The detector that DWPose's and rtmlib's repositories bring. */
export const isYolox = (path: string) => /(^|\/)yolox[^/]*\.onnx$/i.test(path);

/** Such repositories say nothing of themselves: the names of their files do. */
export const hasBarePose = ({ files }: Repository) => files.some(({ path }) => isYolo(path) || isSimcc(path));

export const barePose: Family = (repository, wishes) => {
  const all = repository.files.map(({ path }) => path);
  const [path = "", ...others] = all.filter((each) => isYolo(each) || isSimcc(each));
  const graph = pickGraph(repository, { graph: path, ...wishes });
  const beside = isSimcc(path) ? all.find(isYolox) : undefined;
  const detector = beside === undefined ? undefined : pickGraph(repository, { graph: beside, ...wishes });
  return finding({
    graphs: { [GRAPH]: graph, ...(detector && { [`detector/${GRAPH}`]: detector }) },
    files: [...graph.files, ...(detector?.files ?? [])],
    unsure: [
      ...(detector ? [`${beside} is taken for its detector.`] : []),
      ...(isSimcc(path) && !detector ? [LOOKS_AT_ONE] : []),
      ...(others.length > 0
        ? [`The repository has ${others.join(", ")} too: \`graphs\` and \`source\` name another.`]
        : []),
    ],
  });
};
