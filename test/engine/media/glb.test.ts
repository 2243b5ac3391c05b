// Files of 3D models, as Khronos' validator and trimesh read them.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Scene, writeGlb } from "../../../src/engine/media/glb.ts";
import { writeObj } from "../../../src/engine/media/obj.ts";
import type { Mesh } from "../../../src/engine/mesh/mesh.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { pythonWith } from "../../support/python-venv.ts";
import { gltfOf, validate } from "../support/gltf.ts";

setDefaultTimeout(180_000);

/** Corners at the origin and one along each axis; seen from outside counter-clockwise. */
const tetrahedron: Mesh = {
  positions: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3),
  indices: Uint32Array.of(0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3),
};
const colours = Uint8Array.of(255, 0, 0, 0, 128, 0, 10, 10, 200, 255, 255, 255);
const only = (mesh: Mesh): Scene => ({ nodes: [{ name: "thing", mesh }] });

test("a coloured mesh is a file that the validator has nothing against", async () => {
  const normals = Float32Array.of(-1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1);
  const report = await validate(await writeGlb(only({ ...tetrahedron, normals, colours })));
  expect(report.issues.messages).toEqual([]);
  expect(report.info).toMatchObject({ version: "2.0", totalVertexCount: 4, totalTriangleCount: 4, hasTextures: false });
});

test("what is wrong with a file is found by the validator: a normal that is none", async () => {
  const normals = new Float32Array(12);
  const { issues } = await validate(await writeGlb(only({ ...tetrahedron, normals })));
  expect(issues.numErrors).toBe(4);
});

test("a picture lies on the mesh as its texture", async () => {
  const pixels = { data: new Uint8Array(8 * 4 * 3).fill(200), width: 8, height: 4, channels: 3 } as const;
  const texture = {
    uvs: Float32Array.of(0, 0, 1, 0, 0, 1, 1, 1),
    bytes: await createCodec().encode(pixels, "png"),
    contentType: "image/png",
  } as const;
  const report = await validate(await writeGlb(only({ ...tetrahedron, texture })));
  expect(report.issues.messages).toEqual([]);
  expect(report.info.hasTextures).toBe(true);
  expect(report.info.resources.find(({ pointer }) => pointer === "/images/0")?.image).toMatchObject({
    width: 8,
    height: 4,
  });
});

test("joints that carry each other move by the tracks of an animation, with times that are written once", async () => {
  const times = Float32Array.of(0, 0.5, 1);
  const half = Math.SQRT1_2;
  const bytes = await writeGlb({
    nodes: [
      { name: "hips", translation: [0, 1, 0], mesh: tetrahedron },
      { name: "spine", parent: 0, translation: [0, 0.5, 0], rotation: [0, 0, half, half], mesh: tetrahedron },
    ],
    animations: [
      {
        name: "walk",
        tracks: [
          { node: 0, moves: "translation", times, values: Float32Array.of(0, 1, 0, 0, 1, 1, 0, 1, 2) },
          {
            node: 1,
            moves: "rotation",
            times,
            values: Float32Array.of(0, 0, half, half, 0, 0, 0, 1, 0, 0, half, half),
          },
        ],
      },
    ],
  });
  expect((await validate(bytes)).issues.messages).toEqual([]);
  const { nodes, animations, scene, scenes } = gltfOf(bytes);
  expect(scene).toBe(0);
  expect(scenes[0]?.nodes).toEqual([0]);
  expect(nodes[0]).toMatchObject({ name: "hips", children: [1] });
  const [walk] = animations ?? [];
  expect(walk?.channels.map(({ target }) => target)).toEqual([
    { node: 0, path: "translation" },
    { node: 1, path: "rotation" },
  ]);
  expect(new Set(walk?.samplers.map(({ input }) => input)).size).toBe(1);
});

const python = pythonWith("numpy==2.4.6", "trimesh==5.2.0", "pillow==13.0.0");

test.skipIf(python === undefined)("trimesh reads the same surface and colours from a GLB and an OBJ file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "forecourt-glb-"));
  const glb = join(folder, "thing.glb");
  const obj = join(folder, "thing.obj");
  await writeFile(glb, await writeGlb(only({ ...tetrahedron, colours })));
  await writeFile(obj, writeObj({ ...tetrahedron, colours }));
  const script = `
import json, sys, trimesh
for path in sys.argv[1:]:
    [mesh] = trimesh.load_scene(path, process=False).geometry.values()
    colours = mesh.visual.vertex_attributes["color"] if path.endswith("glb") else mesh.visual.vertex_colors
    print(json.dumps({"volume": mesh.volume, "watertight": mesh.is_watertight, "wound": mesh.is_winding_consistent, "vertices": mesh.vertices.tolist(), "colours": colours[:, :3].tolist()}))
`;
  const { stdout } = Bun.spawnSync([join(python ?? "", "python"), "-c", script, glb, obj], { stderr: "inherit" });
  await rm(folder, { recursive: true });
  const [fromGlb, fromObj] = stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const read of [fromGlb, fromObj]) {
    expect(read).toMatchObject({ watertight: true, wound: true });
    expect(read.volume).toBeCloseTo(1, 6);
    expect(read.vertices.flat()).toEqual([...tetrahedron.positions]);
  }
  expect(fromObj.colours.flat()).toEqual([...colours]);
  // glTF's are light: half of sRGB's way is a fifth of it.
  expect(fromGlb.colours[1][1] / fromGlb.colours[0][0]).toBeCloseTo(0.2159, 2);
});
