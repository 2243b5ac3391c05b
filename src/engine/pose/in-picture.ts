// Places of what a graph saw as places of the picture; what lies beyond the picture is moved to its edge.
import type { Edges } from "../onnx/boxes/suppress.ts";
import { toPicture, type WholeView } from "../onnx/view.ts";
import type { Box } from "./people.ts";

type At = { x: number; y: number };

export function pointIn(view: WholeView, { x, y }: At): At {
  const { width, height } = view.picture;
  const at = toPicture(view, x, y);
  return { x: Math.min(width, Math.max(0, at.x)), y: Math.min(height, Math.max(0, at.y)) };
}

export function boxIn(view: WholeView, { left, top, right, bottom }: Edges): Box {
  const [from, to] = [pointIn(view, { x: left, y: top }), pointIn(view, { x: right, y: bottom })];
  return { ...from, w: to.x - from.x, h: to.y - from.y };
}
