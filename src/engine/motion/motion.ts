// A figure of bones and how it moves: what captured and generated motion become before they are written to files.
import { after, NO_ROTATION, type Rotation, rotate } from "./rotation.ts";
import { plus, type Vector } from "./vectors.ts";

export type Bone = {
  name: string;
  /** Its place among the bones, always an earlier one; -1 for the first one, which has no parent. */
  parent: number;
  /** From the parent's joint to this bone's, at rest: arms out, facing Z, no bone turned. */
  offset: Vector;
  /** Where the bone ends, from its joint; for bones that no other one goes on from. */
  tip?: Vector;
};

/** One moment: where the first bone's joint is, and how each bone is turned against its parent. */
export type Pose = { root: Vector; rotations: readonly Rotation[] };

export type Motion = {
  bones: readonly Bone[];
  /** Poses a second, evenly. */
  fps: number;
  poses: readonly Pose[];
};

type Placed = { places: Vector[]; turns: Rotation[] };

/** Where each bone's joint is in a pose, and how the bone is turned against the world. */
export function placed(bones: readonly Bone[], { root, rotations }: Pose): Placed {
  const places: Vector[] = [];
  const turns: Rotation[] = [];
  for (const [at, { parent, offset }] of bones.entries()) {
    const above = turns[parent] ?? NO_ROTATION;
    const from = places[parent];
    places.push(from ? plus(from, rotate(above, offset)) : root);
    turns.push(after(above, rotations[at] ?? NO_ROTATION));
  }
  return { places, turns };
}

/** The lowest joint or tip of a pose. */
export function lowestOf(bones: readonly Bone[], pose: Pose): number {
  const { places, turns } = placed(bones, pose);
  return Math.min(
    ...places.flatMap((place, at) => {
      const tip = bones[at]?.tip;
      return [place[1], ...(tip ? [plus(place, rotate(turns[at] ?? NO_ROTATION, tip))[1]] : [])];
    }),
  );
}
