// A stand-in for MoGe-2 of random weights, against its authors' steps in NumPy and SciPy.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ForecourtError } from "../../../src/core/errors.ts";
import { recoverFocalShift } from "../../../src/engine/mesh/focal-shift.ts";
import { gridMesh } from "../../../src/engine/mesh/grid-mesh.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { imageToScene } from "../../../src/engine/pipelines/image-to-scene.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { meshOf, validate } from "../support/gltf.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { measuresOf } from "../support/surface.ts";

setDefaultTimeout(120_000);

type Golden = {
  level: number;
  threshold: number;
  fov?: number;
  vertices: number;
  faces: number;
  area: number;
  depth: [number, number];
  field_of_view: [number, number];
  shown: { vertex: number; at: number[]; normal: number[]; uv: number[] }[];
};

const FOLDER = join(import.meta.dir, "../../reference/vision/moge");
const cases: Golden[] = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const assets = openFolder(FOLDER);
const codec = createCodec();
const picture = new Uint8Array(readFileSync(join(FOLDER, "picture.png")));

const run = (input: Record<string, unknown> = {}, bytes: Uint8Array = picture) =>
  runOnce(imageToScene, {
    assets,
    input: { image_url: "https://example.org/view.png", ...input },
    media: async () => bytes,
  });

function fileIn(files: Map<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new Error(`no ${name} among ${[...files.keys()]}`);
  return bytes;
}

const expectClose = (found: ArrayLike<number>, wanted: readonly number[], digits: number) => {
  for (const [i, each] of wanted.entries()) expect(found[i]).toBeCloseTo(each, digits);
};

test.each(cases)("the reference's surface at level $level", async (golden) => {
  const { level, threshold, fov } = golden;
  const input = { resolution_level: level, edge_threshold: threshold, ...(fov && { fov_x: fov }) };
  const { output, files } = await run(input);
  const bytes = fileIn(files, "mesh.glb");
  const report = await validate(bytes);
  // The picture's size is its own; nothing else is remarked.
  expect(report.issues.messages.map(({ code }) => code)).toEqual(["IMAGE_NPOT_DIMENSIONS"]);
  const mesh = await meshOf(bytes);
  expect(mesh.positions.length / 3).toBe(golden.vertices);
  expect(mesh.indices.length / 3).toBe(golden.faces);
  expect(measuresOf(mesh).area / golden.area).toBeCloseTo(1, 3);
  expectClose([output.depth.minimum, output.depth.maximum], golden.depth, 3);
  expectClose([output.field_of_view.horizontal, output.field_of_view.vertical], golden.field_of_view, 2);
  for (const { vertex, at, normal, uv } of golden.shown) {
    expectClose(mesh.positions.subarray(3 * vertex), at, 3);
    expectClose(mesh.normals.subarray(3 * vertex), normal, 4);
    expectClose(mesh.uvs.subarray(2 * vertex), uv, 5);
  }
});

test("triangles look at the camera, and the picture lies on them", async () => {
  const mesh = await meshOf(fileIn((await run()).files, "mesh.glb"));
  const at = (index: number | undefined) => mesh.positions.subarray(3 * (index ?? 0), 3 * (index ?? 0) + 3);
  for (let i = 0; i < mesh.indices.length; i += 3) {
    const [a, b, c] = [at(mesh.indices[i]), at(mesh.indices[i + 1]), at(mesh.indices[i + 2])];
    // As the camera in the origin sees it: the volume of the pyramid under it.
    const [x = 0, y = 0, z = 0] = a;
    const [bx = 0, by = 0, bz = 0] = b;
    const [cx = 0, cy = 0, cz = 0] = c;
    expect(x * (by * cz - bz * cy) + y * (bz * cx - bx * cz) + z * (bx * cy - by * cx)).toBeLessThan(0);
  }
  const texture = await codec.decode(Uint8Array.from(mesh.texture ?? []));
  expect([texture.width, texture.height]).toEqual([96, 72]);
});

test("points come as a PLY file too, each with the colour of its pixel", async () => {
  const { output, files } = await run({ output_point_cloud: true });
  const bytes = fileIn(files, "points.ply");
  expect(output.point_cloud).toMatchObject({ file_name: "points.ply", file_size: bytes.length });
  const mesh = await meshOf(fileIn(files, "mesh.glb"));
  const text = new TextDecoder("latin1").decode(bytes);
  const header = text.slice(0, text.indexOf("end_header\n") + "end_header\n".length);
  const count = mesh.positions.length / 3;
  expect(header).toContain(`format binary_little_endian 1.0\nelement vertex ${count}\nproperty float x`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.length);
  expect(view.byteLength).toBe(count * 27);
  const pixels = await codec.decode(picture);
  for (const vertex of [0, 1000, count - 1]) {
    expect(view.getFloat32(27 * vertex + 8, true)).toBe(mesh.positions[3 * vertex + 2] ?? 0);
    const [u = 0, v = 0] = mesh.uvs.subarray(2 * vertex);
    const pixel = Math.floor(v * 72) * 96 + Math.floor(u * 96);
    for (let c = 0; c < 3; c++)
      expect(view.getUint8(27 * vertex + 24 + c)).toBe(pixels.data[pixels.channels * pixel + c] ?? -1);
  }
});

test("a large picture has a grid of the size that is asked for, and lies on it in full", async () => {
  const mesh = await meshOf(fileIn((await run({ max_size: 64 })).files, "mesh.glb"));
  expect(mesh.positions.length / 3).toBeLessThanOrEqual(64 * 48);
  const texture = await codec.decode(Uint8Array.from(mesh.texture ?? []));
  expect(texture.width).toBe(96);
});

test("a picture of the sky alone is refused with the field", async () => {
  const sky = {
    data: new Uint8Array(64 * 48 * 3).map((_, i) => (i % 3 === 2 ? 255 : 0)),
    width: 64,
    height: 48,
    channels: 3,
  } as const;
  const error = (await run({}, await codec.encode(sky, "png")).catch((thrown) => thrown)) as ForecourtError;
  expect(error.code).toBe("invalid_input");
  expect(error.problems?.[0]?.loc).toEqual(["body", "image_url"]);
  expect(error.message).toContain("sky");
});

describe("the camera", () => {
  /** Points of pixels at random depths, moved nearer by a shift. */
  const seenBy = (focal: number, shift: number) => {
    const random = seededRandom(7);
    return Array.from({ length: 300 }, () => {
      const [u, v, z] = [random() - 0.5, random() - 0.5, 1 + 3 * random()];
      return { x: (u * z) / focal, y: (v * z) / focal, z: z - shift, u, v };
    });
  };

  test.each([
    [0.5, 0],
    [1, 0.9],
    [2.5, -3],
  ])("with the focal length %p is found behind points that are %p too near", (focal, shift) => {
    const found = recoverFocalShift(seenBy(focal, shift));
    expect(found.focal).toBeCloseTo(focal, 4);
    expect(found.shift).toBeCloseTo(shift, 4);
    expect(recoverFocalShift(seenBy(focal, shift), focal).shift).toBeCloseTo(shift, 4);
  });

  test("is taken for a usual one where next to nothing is seen", () => {
    expect(recoverFocalShift([])).toEqual({ focal: 1, shift: 0 });
  });
});

test("a surface ends at a step in depth, and around what is not there", async () => {
  const [width, height] = [8, 5];
  const depth = (x: number) => (x < 4 ? 1 : 2);
  const points = Float32Array.from({ length: width * height * 3 }, (_, i) => {
    const [pixel, axis] = [Math.floor(i / 3), i % 3];
    return axis === 0 ? pixel % width : axis === 1 ? Math.floor(pixel / width) : depth(pixel % width);
  });
  const map = {
    width,
    height,
    points,
    isThere: new Uint8Array(width * height).fill(1),
    fieldOfView: { horizontal: 60, vertical: 40 },
  };
  const { pixels, indices } = await gridMesh(map, 0.1, createPause());
  expect(new Set([...pixels].map((pixel) => pixel % width))).toEqual(new Set([0, 1, 2, 5, 6, 7]));
  expect(indices.length / 3).toBe(2 * 4 * 4);
  const holed = { ...map, isThere: Uint8Array.from(map.isThere.with(2 * width + 1, 0)) };
  expect(
    [...(await gridMesh(holed, 0.1, createPause())).pixels]
      .filter((pixel) => pixel % width < 3)
      .map((pixel) => Math.floor(pixel / width)),
  ).toEqual([0, 0, 0, 4, 4, 4]);
});
