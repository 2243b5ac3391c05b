// Opens a model of bodies in space, told by what its graph gives: MediaPipe's pose, or a whole body as RTMW3D has it.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { loadPeopleFinder } from "../pose/find-people.ts";
import type { BodyFinder } from "./body-finder.ts";
import { isMediapipePerson, mediapipePerson } from "./mediapipe-person.ts";
import { isMediapipePose, mediapipePose } from "./mediapipe-pose.ts";
import { isWholeBody, wholeBody } from "./whole-body.ts";

const GRAPH = "onnx/model.onnx";
const DETECTOR = `detector/${GRAPH}`;

/** Throws `misconfigured` for graphs of another kind. */
export async function loadBodyFinder(assets: Assets): Promise<BodyFinder> {
  const graph = await assets.graph(GRAPH);
  if (isWholeBody(graph)) return wholeBody(graph, await loadPeopleFinder(assets));
  if (isMediapipePose(graph)) {
    if (!assets.has(DETECTOR)) return mediapipePose(graph, undefined);
    const detector = await assets.graph(DETECTOR);
    if (isMediapipePerson(detector)) return mediapipePose(graph, mediapipePerson(detector));
    throw wrong(`the detector beside MediaPipe's pose must be MediaPipe's own; this one gives ${given(detector)}`);
  }
  throw wrong(`capture-motion reads MediaPipe's pose and RTMW3D; this graph gives ${given(graph)}`);
}

const given = ({ outputs }: { outputs: readonly { name: string; shape: readonly unknown[] }[] }) =>
  outputs.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");

const wrong = (message: string) => new ForecourtError("misconfigured", message);
