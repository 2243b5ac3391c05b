// Where a figure is while it moves: at one place, with its lowest part on the ground, or where the picture shows it.
import { type Bone, lowestOf, type Pose } from "./motion.ts";
import { plus, type Vector, ZERO } from "./vectors.ts";

export const WAYS = ["grounded", "fixed", "followed"] as const;
export type Way = (typeof WAYS)[number];

/**
 * The ground is at height 0. grounded: the lowest joint of each pose is on it; fixed: the hips stay where they are at rest; followed:
 * they go along `path`, whose lowest pose is on the ground.
 */
export function stand(
  bones: readonly Bone[],
  poses: readonly Pose[],
  { way, path }: { way: Way; path: readonly Vector[] },
): Pose[] {
  if (way === "fixed") {
    const rest = lowestOf(bones, { root: ZERO, rotations: [] });
    return poses.map(({ rotations }) => ({ root: [0, -rest, 0], rotations }));
  }
  if (way === "grounded")
    return poses.map(({ rotations }) => ({ root: [0, -lowestOf(bones, { root: ZERO, rotations }), 0], rotations }));
  const moved = poses.map(({ rotations }, i) => ({ root: path[i] ?? ZERO, rotations }));
  const lowest = Math.min(...moved.map((pose) => lowestOf(bones, pose)));
  return moved.map(({ root, rotations }) => ({ root: plus(root, [0, -lowest, 0]), rotations }));
}
