// TripoSR of random weights in both published layouts, against torch, scikit-image and the reference's formulas.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ForecourtError } from "../../../src/core/errors.ts";
import type { Assets, Pixels } from "../../../src/core/pipeline.ts";
import { frameSubject, onGrey } from "../../../src/engine/mesh/subject.ts";
import { featuresAt, triplaneOf } from "../../../src/engine/mesh/triplane.ts";
import { imageTo3d } from "../../../src/engine/pipelines/image-to-3d.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { toFloats } from "../../../src/engine/tensor/tensor.ts";
import { meshOf, validate } from "../support/gltf.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { measuresOf, nearest, openEdges } from "../support/surface.ts";

setDefaultTimeout(120_000);

type Golden = {
  resolution: number;
  vertices: number;
  faces: number;
  area: number;
  volume: number;
  bounds: [number[], number[]];
  mean_colour: number[];
  shown: { at: number[]; colour: number[] }[];
};
type Cases = { planes: number[]; points: number[]; features: number[]; meshes: Golden[] };

const FOLDER = join(import.meta.dir, "../../reference/vision/triposr");
const cases: Cases = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const read = (name: string) => new Uint8Array(readFileSync(join(FOLDER, name)));
const codec = createCodec();
const whole = openFolder(join(FOLDER, "whole"));

type Asked = { assets?: Assets; bytes?: Uint8Array; signal?: AbortSignal };
const run = (input: Record<string, unknown>, { assets = whole, bytes = read("picture.png"), signal }: Asked = {}) =>
  runOnce(imageTo3d, {
    assets,
    input: { image_url: "https://example.org/thing.png", ...input },
    media: async () => bytes,
    ...(signal && { signal }),
  });
const failing = (...given: Parameters<typeof run>) => run(...given).then(undefined, (error: unknown) => error);

async function meshIn(files: Map<string, Uint8Array>) {
  const bytes = files.get("mesh.glb");
  if (!bytes) throw new Error(`no mesh among ${[...files.keys()]}`);
  return { ...(await meshOf(bytes)), bytes };
}

/** A byte of sRGB from light. */
const byteOf = (light: number) => 255 * (light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055);

test("the subject is put in the middle of grey as the reference does", async () => {
  const framed = frameSubject(await codec.decode(read("picture.png")), { ratio: 0.9, threshold: 1 });
  const { width, height, data } = onGrey(framed as Pixels);
  const wanted = await codec.decode(read("subject.png"));
  expect([width, height]).toEqual([wanted.width, wanted.height]);
  const apart = data.map((value, i) => Math.abs(value - (wanted.data[i] ?? 0)));
  expect(Math.max(...apart)).toBeLessThanOrEqual(1);
});

test("planes are sampled as torch's grid_sample does, beyond their edges too", () => {
  const planes = { dtype: "float32", shape: [1, 3, 2, 4, 5], data: Float32Array.from(cases.planes) } as const;
  const features = featuresAt(triplaneOf(planes), Float32Array.from(cases.points));
  expect(features.length).toBe(cases.features.length);
  for (const [i, wanted] of cases.features.entries()) expect(features[i]).toBeCloseTo(wanted, 5);
});

describe.each(["whole", "features"])("weights whose decoder wants the %s", (layout) => {
  test.each(cases.meshes)("give the reference's surface and colours at $resolution points", async (golden) => {
    const assets = openFolder(join(FOLDER, layout));
    const { output, files, steps } = await run({ mc_resolution: golden.resolution }, { assets });
    const mesh = await meshIn(files);
    expect(output.model_mesh).toMatchObject({
      content_type: "model/gltf-binary",
      file_name: "mesh.glb",
      file_size: mesh.bytes.length,
    });
    expect(output.timings.inference).toBeGreaterThan(0);
    expect((await validate(mesh.bytes)).issues.messages).toEqual([]);
    expect(openEdges(mesh)).toBe(0);
    // What the encoder sees is rounded to bytes here, which moves a vertex or two over the end of an edge.
    expect(Math.abs(mesh.positions.length / 3 - golden.vertices)).toBeLessThan(1e-3 * golden.vertices);
    expect(Math.abs(mesh.indices.length / 3 - golden.faces)).toBeLessThan(1e-3 * golden.faces);
    for (let axis = 0; axis < 3; axis++) {
      const values = mesh.positions.filter((_, i) => i % 3 === axis);
      for (const [end, found] of [
        values.reduce((a, b) => Math.min(a, b)),
        values.reduce((a, b) => Math.max(a, b)),
      ].entries())
        expect(Math.abs(found - (golden.bounds[end]?.[axis] ?? 9))).toBeLessThan(2e-3);
    }
    const { area, volume } = measuresOf(mesh);
    expect(area / golden.area).toBeCloseTo(1, 2);
    expect(volume / golden.volume).toBeCloseTo(1, 2);
    for (const { at, colour } of golden.shown) {
      const { distance, vertex } = nearest(mesh, at);
      expect(distance).toBeLessThan(2e-3);
      for (let c = 0; c < 3; c++)
        expect(Math.abs(byteOf(mesh.colours[vertex * 3 + c] ?? 0) - (colour[c] ?? 0))).toBeLessThan(2.5);
    }
    const told = steps.flatMap((step) => (step.type === "progress" ? [step.at] : []));
    expect(told.length).toBeGreaterThan(0);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });
});

test("an OBJ file has the same vertices, each with its colour", async () => {
  const glb = await meshIn((await run({ mc_resolution: 32 })).files);
  const { output, files } = await run({ mc_resolution: 32, output_format: "obj" });
  expect(output.model_mesh).toMatchObject({ content_type: "model/obj", file_name: "mesh.obj" });
  const lines = new TextDecoder().decode(files.get("mesh.obj")).split("\n");
  const vertices = lines.filter((line) => line.startsWith("v "));
  expect(vertices.length).toBe(glb.positions.length / 3);
  const [, ...numbers] = (vertices[0] ?? "").split(" ").map(Number);
  for (let axis = 0; axis < 3; axis++) expect(numbers[axis]).toBeCloseTo(glb.positions[axis] ?? 9, 5);
  for (let c = 0; c < 3; c++) expect(255 * (numbers[3 + c] ?? 9)).toBeCloseTo(byteOf(glb.colours[c] ?? 9), 0);
  expect(lines.filter((line) => line.startsWith("f ")).length).toBe(glb.indices.length / 3);
});

const VISION = join(import.meta.dir, "../../reference/vision");

/** TripoSR with a background remover beside it. */
function withMatting(): Assets {
  const matting = openFolder(join(VISION, "birefnet"));
  const inside = (path: string) => (path.startsWith("matting/") ? path.slice("matting/".length) : undefined);
  const pick = <Value>(path: string, from: (assets: Assets, path: string) => Value): Value =>
    from(inside(path) === undefined ? whole : matting, inside(path) ?? path);
  return {
    ...whole,
    has: (path) => pick(path, (assets, own) => assets.has(own)),
    graph: (path) => pick(path, (assets, own) => assets.graph(own)),
    json: (path) => pick(path, (assets, own) => assets.json(own)),
  };
}

/** With other densities than the decoder's. */
const dense = (change: (density: number) => number): Assets => ({
  ...whole,
  async graph(path) {
    const graph = await whole.graph(path);
    if (path === "encoder.onnx") return graph;
    return {
      ...graph,
      async run(inputs) {
        const { density, ...rest } = await graph.run(inputs);
        if (!density) throw new Error("the decoder gives densities");
        return {
          ...rest,
          density: { ...density, data: toFloats(density).map(change) },
        };
      },
    };
  },
});

test("what goes on beyond the model's cube is closed there", async () => {
  const mesh = await meshIn((await run({ mc_resolution: 32 }, { assets: dense(() => 100) })).files);
  expect(openEdges(mesh)).toBe(0);
  expect(measuresOf(mesh).volume).toBeGreaterThan(0.8 * (2 * 0.87) ** 3);
});

describe("a picture that is not cut out", () => {
  const photograph = new Uint8Array(readFileSync(join(VISION, "picture.png")));

  test("is cut out by the background remover beside the model", async () => {
    const { files } = await run({ mc_resolution: 32 }, { assets: withMatting(), bytes: photograph });
    const cut = await meshIn(files);
    const uncut = await meshIn(
      (await run({ mc_resolution: 32, do_remove_background: false }, { bytes: photograph })).files,
    );
    expect(openEdges(cut)).toBe(0);
    expect(cut.positions).not.toEqual(uncut.positions);
  });

  test("is refused by a model that has none, with the way out", async () => {
    const error = (await failing({}, { bytes: photograph })) as ForecourtError;
    expect(error).toBeInstanceOf(ForecourtError);
    expect(error.code).toBe("invalid_input");
    expect(error.problems?.[0]?.loc).toEqual(["body", "image_url"]);
    expect(error.message).toContain("do_remove_background: false");
  });
});

describe("pictures without a thing in them", () => {
  const transparent = (alpha: number) =>
    codec.encode({ data: new Uint8Array(32 * 32 * 4).fill(alpha), width: 32, height: 32, channels: 4 }, "png");

  test("one that is transparent all over is refused", async () => {
    const error = (await failing({}, { bytes: await transparent(0) })) as ForecourtError;
    expect(error.problems).toEqual([
      { loc: ["body", "image_url"], msg: expect.stringContaining("transparent"), type: "value_error" },
    ]);
  });

  test("one in which the background remover finds nothing is refused", async () => {
    const blue = {
      data: new Uint8Array(48 * 48 * 3).map((_, i) => (i % 3 === 2 ? 255 : 0)),
      width: 48,
      height: 48,
      channels: 3,
    } as const;
    const bytes = await codec.encode(blue, "png");
    const error = (await failing({}, { assets: withMatting(), bytes })) as ForecourtError;
    expect(error.message).toContain("stands out");
  });

  test("one in which the model sees nothing solid is refused", async () => {
    const error = (await failing({ mc_resolution: 32 }, { assets: dense(() => 0) })) as ForecourtError;
    expect(error.code).toBe("invalid_input");
    expect(error.message).toContain("no solid thing");
  });
});

test("it stops between two pieces of a large grid when it is cancelled", async () => {
  const stop = new AbortController();
  let asked = 0;
  const assets: Assets = {
    ...whole,
    async graph(path) {
      const graph = await whole.graph(path);
      if (path === "encoder.onnx") return graph;
      return {
        ...graph,
        async run(inputs) {
          if (++asked === 2) stop.abort(new Error("enough"));
          // Longer than the pause that lets messages in.
          Bun.sleepSync(60);
          return await graph.run(inputs);
        },
      };
    },
  };
  const error = (await failing({ mc_resolution: 512 }, { assets, signal: stop.signal })) as Error;
  expect(error.message).toBe("enough");
  expect(asked).toBeLessThan(5);
});
