// Points that move become a figure that does: bones of lengths that stay, turned so that each leads where its points lie.
import type { Limb, Points } from "./limb.ts";
import type { Bone, Pose } from "./motion.ts";
import { after, fromTo, inverse, NO_ROTATION, nearTo, type Rotation, rotate, slerp, turned } from "./rotation.ts";
import { direction, length, minus, times, ZERO } from "./vectors.ts";

/** Of the sine of a bend: below the first it says nothing of how a limb is turned, from the second on all. */
const [STRAIGHT, BENT] = [0.17, 0.5];

/** Bones as long as the points are apart in most frames, those of both sides equally. `frames` is not empty. */
export function bonesOf(limbs: readonly Limb[], frames: readonly Points[]): Bone[] {
  const places = new Map(limbs.map(({ name }, at) => [name, at]));
  const spans = new Map(limbs.map((limb) => [limb.name, spansOf(limb, limbs, frames)]));
  return limbs.map(({ name, parent = "", rest, tip }) => {
    const [own, other] = [spans.get(name), spans.get(otherSide(name)) ?? spans.get(name)];
    const mean = (which: "offset" | "tip") => ((own?.[which] ?? 0) + (other?.[which] ?? 0)) / 2;
    return {
      ...{ name, parent: places.get(parent) ?? -1, offset: times(rest, mean("offset")) },
      ...(tip && { tip: times(tip.rest, mean("tip")) }),
    };
  });
}

const otherSide = (name: string) =>
  name.startsWith("Left") ? name.replace("Left", "Right") : name.replace("Right", "Left");

function spansOf({ parent, joint, tip }: Limb, limbs: readonly Limb[], frames: readonly Points[]) {
  const above = limbs.find(({ name }) => name === parent);
  return {
    offset: above ? median(frames.map((at) => length(minus(joint(at), above.joint(at))))) : 0,
    tip: tip ? median(frames.map(tip.span)) : 0,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? 0)) / 2;
}

/** How each limb is turned against its parent in one frame; the root stays at the origin. `last`: the pose before. */
export function poseOf(limbs: readonly Limb[], at: Points, last?: Pose): Pose {
  const turns = new Map<string, Rotation>();
  const rotations = limbs.map((limb, place) => {
    const above = turns.get(limb.parent ?? "") ?? NO_ROTATION;
    const turn = turnOf(limb, at, above);
    turns.set(limb.name, turn);
    return nearTo(last?.rotations[place] ?? NO_ROTATION, after(inverse(above), turn));
  });
  return { root: ZERO, rotations };
}

/** Against the world. What its points do not tell it takes from its parent. */
function turnOf({ main, side }: Limb, at: Points, above: Rotation): Rotation {
  const mainTo = direction(main.to(at));
  if (mainTo === undefined) return above;
  const swung = after(fromTo(rotate(above, main.rest), mainTo), above);
  if (side === undefined) return swung;
  const sideTo = side.to(at);
  const share = side.hinge ? smoothStep(length(sideTo)) : 1;
  const whole = share > 0 ? turned({ main: main.rest, mainTo, side: side.rest, sideTo }) : undefined;
  return whole ? slerp(swung, whole, share) : swung;
}

function smoothStep(sine: number): number {
  const share = Math.min(1, Math.max(0, (sine - STRAIGHT) / (BENT - STRAIGHT)));
  return share * share * (3 - 2 * share);
}

/** The same figure, larger or smaller. */
export const scaled = (bones: readonly Bone[], factor: number): Bone[] =>
  bones.map(({ offset, tip, ...bone }) => ({
    ...bone,
    offset: times(offset, factor),
    ...(tip && { tip: times(tip, factor) }),
  }));
