// A figure fitted to points that move: directions, lengths and turns, and the same read back from its files.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bodyOf } from "../../../src/engine/motion/body.ts";
import { bvhOf } from "../../../src/engine/motion/bvh.ts";
import { bonesOf, posesOf } from "../../../src/engine/motion/fit-figure.ts";
import type { Points } from "../../../src/engine/motion/limb.ts";
import { type Motion, type Pose, placed } from "../../../src/engine/motion/motion.ts";
import { motionGlb } from "../../../src/engine/motion/motion-glb.ts";
import { angleBetween, NO_ROTATION, type Rotation, rotate } from "../../../src/engine/motion/rotation.ts";
import { stand } from "../../../src/engine/motion/stand.ts";
import { direction, dot, length, minus, type Vector, X, Y, Z, ZERO } from "../../../src/engine/motion/vectors.ts";
import { pythonWith } from "../../support/python-venv.ts";
import { gltfOf, validate } from "../support/gltf.ts";

setDefaultTimeout(180_000);

const limbs = bodyOf({ index: "index", pinky: "pinky", toe: "foot_index" });
/** Someone who stands with the arms out, in metres around the hips. */
const STANDING: Record<string, Vector> = {
  nose: [0, 0.68, 0.1],
  ...both("ear", [0.07, 0.7, 0]),
  ...both("shoulder", [0.18, 0.5, 0]),
  ...both("elbow", [0.46, 0.5, 0]),
  ...both("wrist", [0.7, 0.5, 0]),
  ...both("index", [0.79, 0.5, 0.04]),
  ...both("pinky", [0.79, 0.5, -0.04]),
  ...both("hip", [0.1, 0, 0]),
  ...both("knee", [0.1, -0.42, 0]),
  ...both("ankle", [0.1, -0.82, 0]),
  ...both("heel", [0.1, -0.88, -0.05]),
  ...both("foot_index", [0.1, -0.88, 0.12]),
};

function both(part: string, [x, y, z]: Vector): Record<string, Vector> {
  return { [`left_${part}`]: [x, y, z], [`right_${part}`]: [-x, y, z] };
}

const pointsOf =
  (moved: Record<string, Vector> = {}): Points =>
  (name) =>
    moved[name] ?? STANDING[name] ?? ZERO;
const turnedAll = (turn: Rotation): Record<string, Vector> =>
  Object.fromEntries(Object.entries(STANDING).map(([name, place]) => [name, rotate(turn, place)]));
const named = (pose: Pose, name: string) =>
  pose.rotations[limbs.findIndex((limb) => limb.name === name)] ?? NO_ROTATION;
const bones = bonesOf(limbs, [pointsOf()]);
const poseOf = (at: Points): Pose => posesOf(limbs, [at], 25)[0] ?? { root: ZERO, rotations: [] };
const world = (pose: Pose, name: string) =>
  placed(bones, pose).turns[bones.findIndex((bone) => bone.name === name)] ?? NO_ROTATION;

test("who stands with the arms out is at rest: no bone is turned far, and those of the limbs not at all", () => {
  const pose = poseOf(pointsOf());
  for (const name of ["Hips", "Spine", "Chest", "LeftArm", "RightForeArm", "LeftHand", "RightUpLeg", "LeftLeg"])
    expect(angleBetween(world(pose, name), NO_ROTATION)).toBeLessThan(1e-6);
  for (const name of ["Neck", "Head", "LeftFoot", "RightFoot"])
    expect(angleBetween(world(pose, name), NO_ROTATION)).toBeLessThan(0.3);
});

test("who turns as a whole turns at the hips, and nothing else changes", () => {
  const still = poseOf(pointsOf());
  for (const turn of [
    [0, Math.SQRT1_2, 0, Math.SQRT1_2],
    [0.5, 0.5, -0.5, 0.5],
    [0, 1, 0, 0],
  ] as const) {
    const pose = poseOf(pointsOf(turnedAll(turn)));
    expect(angleBetween(named(pose, "Hips"), turn)).toBeLessThan(1e-6);
    for (const { name } of limbs.slice(1))
      expect(angleBetween(named(pose, name), named(still, name))).toBeLessThan(1e-5);
  }
});

test("a bent elbow is a turn of the forearm about the hinge alone, a raised arm one of the upper arm", () => {
  // The left forearm led forward.
  const bent = poseOf(
    pointsOf({ left_wrist: [0.46, 0.5, 0.24], left_index: [0.42, 0.5, 0.33], left_pinky: [0.5, 0.5, 0.33] }),
  );
  expect(angleBetween(named(bent, "LeftArm"), NO_ROTATION)).toBeLessThan(1e-6);
  expect(angleBetween(named(bent, "LeftForeArm"), [0, -Math.SQRT1_2, 0, Math.SQRT1_2])).toBeLessThan(1e-6);
  expect(angleBetween(named(bent, "LeftHand"), NO_ROTATION)).toBeLessThan(1e-6);
  // Raised straight up: a quarter turn about z.
  const up = poseOf(
    pointsOf({
      left_elbow: [0.18, 0.78, 0],
      left_wrist: [0.18, 1.02, 0],
      left_index: [0.18, 1.11, 0.04],
      left_pinky: [0.18, 1.11, -0.04],
    }),
  );
  expect(angleBetween(named(up, "LeftArm"), [0, 0, Math.SQRT1_2, Math.SQRT1_2])).toBeLessThan(1e-6);
  expect(angleBetween(named(up, "LeftForeArm"), NO_ROTATION)).toBeLessThan(1e-6);
});

test("the axis of an elbow that is nearly straight may leap, the arm does not", () => {
  // 20 degrees, one frame forward and the next one back; then bent for good.
  const bend = (z: number, out: number) =>
    pointsOf({
      left_wrist: [0.46 + out, 0.5, z],
      left_index: [0.5 + out, 0.5, z],
      left_pinky: [0.5 + out, 0.5, z - 0.08],
    });
  const leaping = Array.from({ length: 12 }, (_, i) => bend(i % 2 === 0 ? 0.08 : -0.08, 0.22));
  for (const pose of posesOf(limbs, leaping, 25))
    expect(angleBetween(named(pose, "LeftArm"), NO_ROTATION)).toBeLessThan(0.2);
  // Led back it is the upper arm that is turned over, if it stays so.
  const back = posesOf(
    limbs,
    Array.from({ length: 12 }, () => bend(-0.24, 0)),
    25,
  );
  for (const pose of back) expect(angleBetween(named(pose, "LeftArm"), [1, 0, 0, 0])).toBeLessThan(1e-6);
});

test("a bent knee turns about the axis to the left", () => {
  const pose = poseOf(
    pointsOf({
      right_ankle: [-0.1, -0.42, -0.4],
      right_heel: [-0.1, -0.37, -0.46],
      right_foot_index: [-0.1, -0.54, -0.46],
    }),
  );
  expect(angleBetween(named(pose, "RightUpLeg"), NO_ROTATION)).toBeLessThan(1e-6);
  expect(angleBetween(named(pose, "RightLeg"), [Math.SQRT1_2, 0, 0, Math.SQRT1_2])).toBeLessThan(1e-6);
});

/** Points that tremble, so that each frame has lengths of its own. */
function trembling(frames: number): Points[] {
  let state = 1;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647 - 0.5;
  };
  return Array.from({ length: frames }, () => {
    const turn: Rotation = [0, Math.sin(next()), 0, 1];
    const size = Math.hypot(...turn);
    const whole = turnedAll([0, turn[1] / size, 0, turn[3] / size]);
    const moved = Object.entries(whole).map(([name, [x, y, z]]) => [
      name,
      [x + next() / 20, y + next() / 20, z + next() / 20],
    ]);
    return pointsOf(Object.fromEntries(moved));
  });
}

const frames = trembling(9);
const motion: Motion = (() => {
  const fitted = bonesOf(limbs, frames);
  const poses = posesOf(limbs, frames, 25);
  return { bones: fitted, fps: 25, poses: stand(fitted, poses, { way: "grounded", path: [] }) };
})();

test("bones keep one length, equal on both sides, and lead where their points do in every frame", () => {
  const joint = new Map(motion.bones.map(({ name }, at) => [name, at]));
  for (const { name, offset } of motion.bones.filter(({ name }) => name.startsWith("Left"))) {
    const [x, y, z] = offset;
    const other = motion.bones[joint.get(name.replace("Left", "Right")) ?? -1]?.offset ?? ZERO;
    for (const [axis, value] of [-x, y, z].entries()) expect(other[axis]).toBeCloseTo(value, 12);
  }
  const pairs = [
    ["LeftArm", "LeftForeArm", "left_shoulder", "left_elbow"],
    ["RightForeArm", "RightHand", "right_elbow", "right_wrist"],
    ["LeftUpLeg", "LeftLeg", "left_hip", "left_knee"],
    ["RightLeg", "RightFoot", "right_knee", "right_ankle"],
  ] as const;
  for (const [i, pose] of motion.poses.entries())
    for (const [from, to, a, b] of pairs) {
      const { places } = placed(motion.bones, pose);
      const bone = minus(places[joint.get(to) ?? -1] ?? ZERO, places[joint.get(from) ?? -1] ?? ZERO);
      const at = frames[i] ?? pointsOf();
      expect(dot(direction(bone) ?? X, direction(minus(at(b), at(a))) ?? Y)).toBeCloseTo(1, 9);
      expect(length(bone)).toBeCloseTo(length(motion.bones[joint.get(to) ?? -1]?.offset ?? ZERO), 9);
    }
});

test("its lowest part is on the ground, or its hips stay, or they follow a path", () => {
  const heights = (poses: readonly Pose[]) =>
    poses.map((pose) => {
      const { places, turns } = placed(motion.bones, pose);
      const tips = motion.bones.flatMap(({ tip }, at) => {
        const [place, turn] = [places[at] ?? ZERO, turns[at] ?? NO_ROTATION];
        return tip ? [place[1] + rotate(turn, tip)[1]] : [];
      });
      return Math.min(...places.map(([, y]) => y), ...tips);
    });
  for (const height of heights(motion.poses)) expect(height).toBeCloseTo(0, 9);
  const fixed = stand(motion.bones, motion.poses, { way: "fixed", path: [] });
  expect(new Set(fixed.map(({ root }) => root[1])).size).toBe(1);
  const path = motion.poses.map((_, i): Vector => [i / 10, i / 20, 0]);
  const followed = stand(motion.bones, motion.poses, { way: "followed", path });
  expect((followed[8]?.root[0] ?? NaN) - (followed[0]?.root[0] ?? NaN)).toBeCloseTo(0.8, 9);
  expect((followed[8]?.root[1] ?? NaN) - (followed[0]?.root[1] ?? NaN)).toBeCloseTo(0.4, 9);
  expect(Math.min(...heights(followed))).toBeCloseTo(0, 9);
});

const python = pythonWith("bvhio==1.5.4", "numpy==2.4.6");

test.skipIf(python === undefined)("bvhio reads the same joints from the BVH file, frame by frame", async () => {
  const folder = await mkdtemp(join(tmpdir(), "forecourt-bvh-"));
  const path = join(folder, "motion.bvh");
  await writeFile(path, bvhOf(motion, { unitsPerMetre: 100 }));
  const script = `
import bvhio, json, sys
root = bvhio.readAsHierarchy(sys.argv[1])
frames = []
for frame in range(int(sys.argv[2])):
    root.loadPose(frame)
    frames.append({joint.Name: list(joint.PositionWorld) for joint, _, _ in root.layout()})
file = bvhio.readAsBvh(sys.argv[1])
print(json.dumps({"frames": frames, "frameTime": file.FrameTime, "count": file.FrameCount}))
`;
  const ran = Bun.spawnSync([join(python ?? "", "python"), "-c", script, path, String(motion.poses.length)], {
    stderr: "inherit",
  });
  await rm(folder, { recursive: true });
  const read = JSON.parse(ran.stdout.toString());
  expect(read.count).toBe(motion.poses.length);
  expect(read.frameTime).toBeCloseTo(1 / 25, 6);
  for (const [i, pose] of motion.poses.entries())
    for (const [at, place] of placed(motion.bones, pose).places.entries())
      for (const [axis, value] of place.entries())
        expect(read.frames[i][motion.bones[at]?.name ?? ""][axis]).toBeCloseTo(value * 100, 2);
});

test("Khronos' validator has nothing against the GLB file, whose skeleton carries sticks and moves", async () => {
  const bytes = await motionGlb(motion);
  const report = await validate(bytes);
  expect(report.issues.messages).toEqual([]);
  const { nodes, animations } = gltfOf(bytes);
  expect(nodes.map(({ name }) => name)).toEqual([...motion.bones.map(({ name }) => name), "sticks"]);
  const [animation] = animations ?? [];
  expect(animation?.channels.filter(({ target }) => target.path === "rotation")).toHaveLength(motion.bones.length);
  expect(animation?.channels.filter(({ target }) => target.path === "translation")).toHaveLength(1);
  expect(report.info.totalTriangleCount).toBeGreaterThan(motion.bones.length * 7);
});

test("angles in the BVH file go on over whole turns, without leaps", () => {
  const spin = Array.from({ length: 40 }, (_, i): Pose => {
    const half = (i / 40) * 2 * Math.PI;
    return { root: ZERO, rotations: [[0, Math.sin(half / 2), 0, Math.cos(half / 2)]] };
  });
  const bones = [{ name: "Hips", parent: -1, offset: ZERO, tip: Z }];
  const lines = new TextDecoder()
    .decode(bvhOf({ bones, fps: 30, poses: spin }, { unitsPerMetre: 1 }))
    .trim()
    .split("\n");
  const angles = lines.slice(lines.indexOf("MOTION") + 3).map((line) => Number(line.split(" ")[5]));
  expect(angles).toHaveLength(40);
  for (const [i, angle] of angles.entries()) expect(angle).toBeCloseTo(i * 9, 3);
});
