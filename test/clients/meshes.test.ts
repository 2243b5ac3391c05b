// 3D models through fal's own client and the command line, by tiny models in real runners: fal's words in, files that can
// be opened out.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FalClient, ValidationError } from "@fal-ai/client";
import { forecourt } from "../cli/command.ts";
import { meshOf, validate } from "../engine/support/gltf.ts";
import { openEdges } from "../engine/support/surface.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { falClientOf } from "./hosts-on-box.ts";

setDefaultTimeout(120_000);

const REFERENCE = join(import.meta.dir, "../reference/vision");

const triposr = `
id: test/triposr
title: Tiny TripoSR
description: Random weights.
category: image-to-3d
licence: { id: MIT, commercial: true }
pipeline: image-to-3d
aliases: [fal-ai/triposr]
source: { path: ${join(REFERENCE, "triposr/whole")} }
beside:
  matting:
    source: { path: ${join(REFERENCE, "birefnet")} }
memory: { weights: 1000000, working: 1000000 }
price: { unit: request, amount: 0.07, currency: USD }
`;

const moge = `
id: test/moge
title: Tiny MoGe
description: Random weights.
category: image-to-3d
licence: { id: MIT, commercial: true }
pipeline: image-to-scene
source: { path: ${join(REFERENCE, "moge")} }
memory: { weights: 1000000, working: 1000000 }
price: { unit: image, amount: 0.02, currency: USD }
`;

let server: LiveServer;
let fal: FalClient;
beforeAll(async () => {
  const models = [
    { file: "models/triposr.yaml", text: triposr },
    { file: "models/moge.yaml", text: moge },
  ];
  server = await startServer({ models });
  fal = falClientOf(server);
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

type File = { url: string; content_type: string; file_name: string; file_size: number };
const dataUri = async (path: string) =>
  `data:image/png;base64,${Buffer.from(await Bun.file(join(REFERENCE, path)).bytes()).toString("base64")}`;

test("fal-ai/triposr makes a mesh of a picture that is cut out, and one of a photograph", async () => {
  for (const path of ["triposr/picture.png", "picture.png"]) {
    const input = { image_url: await dataUri(path), mc_resolution: 48, foreground_ratio: 0.85 };
    const told: string[] = [];
    const { data: answer } = await fal.subscribe("fal-ai/triposr", {
      input,
      onQueueUpdate: ({ status }) => told.push(status),
    });
    const { model_mesh: file, timings, ...rest } = answer as { model_mesh: File; timings: Record<string, number> };
    expect(rest).toEqual({});
    expect(timings.inference).toBeGreaterThan(0);
    expect(told.at(-1)).toBe("COMPLETED");
    expect(file).toMatchObject({ content_type: "model/gltf-binary", file_name: "mesh.glb" });
    const response = await fetch(file.url);
    expect(response.headers.get("content-type")).toBe("model/gltf-binary");
    const bytes = await response.bytes();
    expect(bytes.length).toBe(file.file_size);
    expect((await validate(bytes)).issues.messages).toEqual([]);
    expect(openEdges(await meshOf(bytes))).toBe(0);
  }
});

test("it gives OBJ too, and a mesh costs what the model file says of a request", async () => {
  const answer = await fetch(`${server.origin}/run/fal-ai/triposr`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ image_url: await dataUri("triposr/picture.png"), output_format: "obj", mc_resolution: 32 }),
  });
  expect(answer.status).toBe(200);
  expect(Number(answer.headers.get("x-fal-billable-units"))).toBe(1);
  const { model_mesh: file } = (await answer.json()) as { model_mesh: File };
  expect(file).toMatchObject({ content_type: "model/obj", file_name: "mesh.obj" });
  const response = await fetch(file.url);
  expect(response.headers.get("content-type")).toBe("model/obj");
  expect(await response.text()).toMatch(/^v \S+ \S+ \S+ \S+ \S+ \S+$/m);
});

test("pictures without a thing in them and grids beyond the bounds are refused with the field", async () => {
  const refused = async (input: Record<string, unknown>) => {
    const failure = await fal.run<string>("fal-ai/triposr", { input }).catch((error) => error);
    expect(failure).toBeInstanceOf(ValidationError);
    return (failure as ValidationError).fieldErrors.map(({ loc, msg }) => `${loc.at(-1)}: ${msg}`);
  };
  const nothing = await dataUri("small.png");
  expect(await refused({ image_url: nothing, mc_resolution: 2048 })).toEqual([
    expect.stringMatching(/^mc_resolution: .*1024/),
  ]);
  expect(await refused({})).toEqual([expect.stringMatching(/^image_url: /)]);
  expect(await refused({ image_url: "data:image/png;base64,AAAA" })).toEqual([expect.stringMatching(/^image_url: /)]);
});

test("a picture becomes a surface in metres and a cloud of points", async () => {
  const input = { image_url: await dataUri("moge/picture.png"), output_point_cloud: true };
  const { data: answer } = await fal.subscribe("test/moge", { input });
  const { model_mesh, point_cloud, depth } = answer as Record<"model_mesh" | "point_cloud", File> & {
    depth: { minimum: number; maximum: number };
  };
  expect(depth.minimum).toBeGreaterThan(1);
  expect(depth.maximum).toBeLessThan(6);
  const { issues, info } = await validate(await (await fetch(model_mesh.url)).bytes());
  expect({ errors: issues.numErrors, hasTextures: info.hasTextures }).toEqual({ errors: 0, hasTextures: true });
  const points = await (await fetch(point_cloud.url)).bytes();
  expect(points.length).toBe(point_cloud.file_size);
  expect(new TextDecoder("latin1").decode(points)).toStartWith("ply\n");
});

test("forecourt run leaves the mesh where it is asked to", async () => {
  const folder = join(server.data, "made");
  const picture = join(REFERENCE, "triposr/picture.png");
  const words = ["run", "test/triposr", `image_url=@${picture}`, "mc_resolution=32", "--output", folder, "--json"];
  // A box of its own: no server has its files.
  const own = await mkdtemp(join(tmpdir(), "forecourt-mesh-run-"));
  await mkdir(join(own, "models"));
  await writeFile(join(own, "models", "triposr.yaml"), triposr);
  const { exitCode, stderr } = await forecourt([...words, "--data", own]);
  await rm(own, { recursive: true, force: true });
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const [name = ""] = await readdir(folder);
  expect(name).toMatch(/^triposr-.*\.glb$/);
  expect((await validate(await Bun.file(join(folder, name)).bytes())).issues.messages).toEqual([]);
});
