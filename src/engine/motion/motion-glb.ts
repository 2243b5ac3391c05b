// Motion as binary glTF: a node for each bone, an animation that turns them, and sticks along the bones that follow.
import { type Scene, writeGlb } from "../media/glb.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type Bone, lowestOf, type Motion, placed } from "./motion.ts";
import { NO_ROTATION } from "./rotation.ts";
import { cross, direction, length, minus, plus, times, type Vector, X, Y, Z, ZERO } from "./vectors.ts";

const NAME = "motion";
/** Of a stick: where it is thickest, and how thick, as shares of its length; in metres at most. */
const [WAIST, THICK, THICKEST] = [0.2, 0.1, 0.04];
/** What leads to the left, to the right and along the middle is told apart; metres from the middle. */
const COLOURS = { left: [214, 90, 70], right: [70, 120, 214], middle: [200, 200, 200] } as const;
const ASIDE = 0.01;

export async function motionGlb({ bones, fps, poses }: Motion): Promise<Uint8Array> {
  const moments = Float32Array.from(poses, (_, i) => i / fps);
  const ground = -lowestOf(bones, { root: ZERO, rotations: [] });
  const nodes: Scene["nodes"][number][] = bones.map(({ name, parent, offset }) => ({
    name,
    ...(parent >= 0 && { parent }),
    translation: parent >= 0 ? [...offset] : [0, ground, 0],
  }));
  const turning = bones.map((_, node) => ({
    ...{ node, moves: "rotation" as const, times: moments },
    values: Float32Array.from(poses.flatMap(({ rotations }) => [...(rotations[node] ?? NO_ROTATION)])),
  }));
  const moving = {
    ...{ node: 0, moves: "translation" as const, times: moments },
    values: Float32Array.from(poses.flatMap(({ root }) => [...root])),
  };
  const { mesh, carriers } = sticksOf(bones, [0, ground, 0]);
  return await writeGlb({
    nodes: [...nodes, { name: "sticks", mesh, skin: { joints: bones.map((_, node) => node), carriers } }],
    animations: [{ name: NAME, tracks: [moving, ...turning] }],
  });
}

/** From each bone's joint to those that go on from it and to its tip, as the figure is at rest. */
function sticksOf(bones: readonly Bone[], root: Vector): { mesh: Mesh; carriers: Uint16Array } {
  const { places } = placed(bones, { root, rotations: [] });
  const faces = bones.flatMap(({ tip }, at) => {
    const ends = bones.flatMap(({ parent, offset }) => (parent === at ? [offset] : []));
    const from = places[at] ?? ZERO;
    return [...ends, ...(tip ? [tip] : [])].flatMap((to) => {
      const colour = colourAt(from[0] + to[0]);
      return stickOf(to).map((face) => ({ at, from, face, colour }));
    });
  });
  const corners = faces.flatMap(({ from, face }) => face.map((corner) => plus(from, corner)));
  const normals = faces.flatMap(({ face: [a, b, c] }) => {
    const normal = direction(cross(minus(b, a), minus(c, a))) ?? Y;
    return [normal, normal, normal];
  });
  return {
    mesh: {
      positions: Float32Array.from(corners.flat()),
      normals: Float32Array.from(normals.flat()),
      indices: Uint32Array.from(corners, (_, i) => i),
      colours: Uint8Array.from(faces.flatMap(({ colour }) => [...colour, ...colour, ...colour])),
    },
    carriers: Uint16Array.from(faces.flatMap(({ at }) => [at, at, at])),
  };
}

type Face = readonly [Vector, Vector, Vector];

/** Eight triangles, seen from outside counter-clockwise; none for what has no length. */
function stickOf(to: Vector): Face[] {
  const along = direction(to);
  if (along === undefined) return [];
  const thick = Math.min(THICKEST, length(to) * THICK);
  const across = direction(cross(along, Math.abs(along[2]) < 0.9 ? Z : X)) ?? X;
  const third = cross(along, across);
  const ring = [across, third, times(across, -1), times(third, -1)].map((way) =>
    plus(times(to, WAIST), times(way, thick)),
  );
  return ring.flatMap((corner, i): Face[] => {
    const next = ring[(i + 1) % ring.length] ?? corner;
    return [
      [ZERO, next, corner],
      [to, corner, next],
    ];
  });
}

const colourAt = (aside: number): readonly number[] =>
  COLOURS[aside > ASIDE ? "left" : aside < -ASIDE ? "right" : "middle"];
