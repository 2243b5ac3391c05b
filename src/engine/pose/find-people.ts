// The detector beside a pose model that looks at one person: DETR's kin in transformers.js' layout, or YOLOX as a graph alone.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { inFolder } from "../in-folder.ts";
import { loadDetector } from "../labelling/detector.ts";
import type { PeopleFinder } from "./finder.ts";
import { yoloxFinder } from "./yolox.ts";

/** Where it lies among the weights. */
const DETECTOR = "detector";
const GRAPH = "onnx/model.onnx";
/** Each is a run of the pose model. */
const MOST_PEOPLE = 64;

/** Undefined where the weights have no detector. Throws `misconfigured` for one that knows no people. */
export async function loadPeopleFinder(all: Assets): Promise<PeopleFinder | undefined> {
  const assets = inFolder(all, DETECTOR);
  if (!assets.has(GRAPH)) return undefined;
  const find = assets.has("config.json") ? await byLabels(assets) : yoloxFinder(await assets.graph(GRAPH));
  return async (picture, threshold) => (await find(picture, threshold)).slice(0, MOST_PEOPLE);
}

async function byLabels(assets: Assets): Promise<PeopleFinder> {
  const { detect, labels } = await loadDetector(assets);
  if (!labels.some(isPerson))
    throw new ForecourtError("misconfigured", `the model in the folder "${DETECTOR}" has no class "person"`);
  return async (picture, threshold) =>
    (await detect(picture, threshold))
      .filter(({ label }) => isPerson(label))
      .map(({ x, y, w, h, score }) => ({ box: { x, y, w, h }, score }));
}

const isPerson = (label: string) => label.toLowerCase() === "person";
