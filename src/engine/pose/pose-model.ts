// Opens a pose model, told by what its graph gives: heat maps of one person (ViTPose), likely places along both
// edges (RTMPose, DWPose), or people with their points (YOLO's pose).
import type { Assets } from "../../core/pipeline.ts";
import type { PoseModel } from "./finder.ts";
import { hasSimcc, simccFinder } from "./simcc.ts";
import { topDown } from "./top-down.ts";
import { hasHeatMaps, loadVitPose } from "./vit-pose.ts";
import { yoloPose } from "./yolo-pose.ts";

const GRAPH = "onnx/model.onnx";

/** Throws `misconfigured` for graphs of another kind. */
export async function loadPoseModel(assets: Assets): Promise<PoseModel> {
  const graph = await assets.graph(GRAPH);
  if (hasHeatMaps(graph)) return await topDown(await loadVitPose(graph, assets), assets);
  if (hasSimcc(graph)) return await topDown(simccFinder(graph), assets);
  return yoloPose(graph);
}
