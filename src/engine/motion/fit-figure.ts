// Points that move become a figure that does: bones of lengths that stay, turned so that each leads where its points lie.
import type { Limb, Points } from "./limb.ts";
import type { Bone, Pose } from "./motion.ts";
import { about, after, fromTo, inverse, NO_ROTATION, nearTo, type Rotation, rotate, turned } from "./rotation.ts";
import { direction, dot, length, minus, times, type Vector, ZERO } from "./vectors.ts";

/** Of the sine of a bend: at the first it says nothing of how a limb is turned about itself, from the second on all. */
const BEND = [0.17, 0.5] as const;
/** Of how far frames near each other agree on it, the same. */
const AGREED = [0.2, 0.6] as const;
/** Seconds around a frame, as the deviation of a bell curve. */
const CALM = 0.12;

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

/** How each limb is turned against its parent in each frame; the root stays at the origin. */
export function posesOf(limbs: readonly Limb[], frames: readonly Points[], fps: number): Pose[] {
  const turns = new Map<string, Rotation[]>();
  const poses: Rotation[][] = frames.map(() => []);
  for (const limb of limbs) {
    const above = turns.get(limb.parent ?? "") ?? frames.map(() => NO_ROTATION);
    const own = turnsOf(limb, { frames, above, fps });
    turns.set(limb.name, own);
    let last = NO_ROTATION;
    for (const [i, turn] of own.entries()) {
      last = nearTo(last, after(inverse(above[i] ?? NO_ROTATION), turn));
      poses[i]?.push(last);
    }
  }
  return poses.map((rotations) => ({ root: ZERO, rotations }));
}

type Fitting = { frames: readonly Points[] /** Turns of the parent. */; above: readonly Rotation[]; fps: number };

/** Against the world. What its points do not tell it takes from its parent. */
function turnsOf({ main, side }: Limb, { frames, above, fps }: Fitting): Rotation[] {
  const swung = frames.map((at, i) => {
    const [turn = NO_ROTATION, mainTo] = [above[i], direction(main.to(at))];
    return { mainTo, turn: mainTo ? after(fromTo(rotate(turn, main.rest), mainTo), turn) : turn };
  });
  if (side === undefined) return swung.map(({ turn }) => turn);
  const twists = swung.map(({ turn, mainTo }, i): Twist => {
    const at = frames[i];
    if (!mainTo || !at) return NO_TWIST;
    const sideTo = side.to(at);
    const share = side.hinge ? smoothStep(length(sideTo), BEND) : 1;
    const whole = share > 0 ? turned({ main: main.rest, mainTo, side: side.rest, sideTo }) : undefined;
    return whole ? twistOf(after(whole, inverse(turn)), mainTo, share) : NO_TWIST;
  });
  const calm = side.hinge ? calmed(twists, fps) : twists;
  return swung.map(({ turn, mainTo }, i) => {
    const { sure, sine } = calm[i] ?? NO_TWIST;
    const agreed = Math.hypot(sure, sine);
    if (!mainTo || agreed === 0) return turn;
    const angle = Math.atan2(sine, sure) * (side.hinge ? smoothStep(agreed, AGREED) : 1);
    return after(about(mainTo, angle), turn);
  });
}

/** How a limb is turned about itself, beyond its parent: cosine and sine, times how much is to be made of it. */
type Twist = { sure: number; sine: number };
const NO_TWIST: Twist = { sure: 0, sine: 0 };

function twistOf([x, y, z, w]: Rotation, axis: Vector, share: number): Twist {
  const angle = 2 * Math.atan2(dot([x, y, z], axis), w);
  return { sure: share * Math.cos(angle), sine: share * Math.sin(angle) };
}

/**
 * An axis that points tell by a bend leaps where they tremble: each frame takes the mean of those around it. Where they say different
 * things the mean is short.
 */
function calmed(twists: readonly Twist[], fps: number): Twist[] {
  const reach = Math.ceil(2 * CALM * fps);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-(((i - reach) / (CALM * fps)) ** 2) / 2));
  return twists.map((_, i) => {
    let [sure, sine, sum] = [0, 0, 0];
    for (const [k, weight] of weights.entries()) {
      const near = twists[i + k - reach];
      if (!near) continue;
      sure += weight * near.sure;
      sine += weight * near.sine;
      sum += weight;
    }
    return { sure: sure / sum, sine: sine / sum };
  });
}

/** From nothing at the first to all at the second. */
function smoothStep(value: number, [from, to]: readonly [number, number]): number {
  const share = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return share * share * (3 - 2 * share);
}

/** The same figure, larger or smaller. */
export const scaled = (bones: readonly Bone[], factor: number): Bone[] =>
  bones.map(({ offset, tip, ...bone }) => ({
    ...bone,
    offset: times(offset, factor),
    ...(tip && { tip: times(tip, factor) }),
  }));
