// From a repository's name to a picture, as an operator does it: add, pull, run; then verify and remove.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import { COMMIT, createFakeHub, type FakeHub, noise, sha256 } from "../../support/fake-hub.ts";
import { forecourt, newFolder, removeFolders } from "../command.ts";
import { tinyWeights } from "../tiny-model.ts";

/** Processes of their own, on a machine that may be busy. */
const PATIENCE_MS = 120_000;

function filesBelow(folder: string): Record<string, Uint8Array> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name))]));
}

const reference = (path: string) => new Uint8Array(readFileSync(join(import.meta.dir, "../../reference", path)));
const graphs = filesBelow(tinyWeights);
/** For GPUs: this box has none to load them. */
const halves = Object.fromEntries(
  Object.keys(graphs)
    .filter((path) => path.endsWith(".onnx"))
    .map((path) => [path.replace(/\.onnx$/, "_fp16.onnx"), noise(300)]),
);
/** What `forecourt run` is asked for: where it is saved, and no server that it could ask. */
const onePicture = (output: string) => [
  ...["prompt=a cat", "seed=1", "num_inference_steps=1", "--output", output, "--device", "cpu", "--port", "1"],
];
let hub: FakeHub;
beforeAll(() => {
  const repos = {
    "tiny/Diffusion": {
      files: { ...graphs, "README.md": new TextEncoder().encode("words"), "unet/model.safetensors": new Uint8Array(9) },
    },
    "tiny/Both": { files: { ...graphs, ...halves } },
    "tiny/triposr": {
      files: {
        "triposr_encoder.onnx": reference("vision/triposr/whole/encoder.onnx"),
        "triposr_decoder.onnx": reference("vision/triposr/whole/decoder.onnx"),
      },
    },
    "tiny/moge-2": { files: { "model.onnx": reference("vision/moge/onnx/model.onnx") } },
    "tiny/mocap": {
      files: {
        "pose_estimation_mediapipe_2023mar.onnx": reference("motion/pose/onnx/model.onnx"),
        "person_detection_mediapipe_2023mar.onnx": reference("motion/pose/detector/onnx/model.onnx"),
      },
    },
    "tiny/words": {
      files: {
        "motion/t2m.onnx": reference("motion/clip-six/onnx/model.onnx"),
        "motion/t2m-vocab.json": reference("motion/clip-six/vocab.json"),
      },
    },
    "tiny/flux": { files: { "model_index.json": new TextEncoder().encode('{"_class_name":"AllegroPipeline"}') } },
  };
  hub = createFakeHub({ repos });
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  removeFolders();
});

const call = (data: string, words: string[], env: Record<string, string> = {}) =>
  forecourt([...words, "--data", data], { FORECOURT_HUB_ENDPOINT: hub.endpoint, HF_HOME: "/nonexistent", ...env });

test(
  "a repository is added, pulled and draws a picture",
  async () => {
    const data = newFolder();
    const added = await call(data, ["models", "add", "tiny/Diffusion", "--id", "acme/tiny"]);
    expect(added.stderr).toContain("acme/tiny runs through text-to-image");
    const file = join(data, "models", "acme--tiny.yaml");
    expect(added.stdout).toBe(`${file}\n`);
    const { source, licence } = YAML.parse(readFileSync(file, "utf8")) as {
      source: { repo: string; revision: string; files: { path: string; sha256: string }[] };
      licence: unknown;
    };
    expect(source).toMatchObject({ repo: "tiny/Diffusion", revision: COMMIT });
    expect(licence).toEqual({ id: "mit", commercial: true });
    expect(source.files.map(({ path }) => path).sort()).toEqual(Object.keys(graphs).sort());
    for (const { path, sha256: hash } of source.files) expect(hash).toBe(sha256(graphs[path] ?? new Uint8Array()));

    const before = await call(data, ["models", "list", "--json"]);
    const listed = JSON.parse(before.stdout).find(({ id }: { id: string }) => id === "acme/tiny");
    expect(listed.weights).toMatchObject({ state: "absent", bytes: 0 });

    const pulled = await call(data, ["models", "pull", "acme/tiny", "--json"]);
    expect(pulled.exitCode).toBe(0);
    const [{ folder }] = JSON.parse(pulled.stdout);
    expect(folder).toBe(join(data, "weights/models--tiny--Diffusion/snapshots", COMMIT));
    expect(existsSync(join(folder, "unet/model.safetensors"))).toBe(false);

    const offline = { FORECOURT_HUB_OFFLINE: "1" };
    const run = await call(data, ["run", "acme/tiny", ...onePicture(data)], offline);
    expect(run.stderr).not.toContain("forecourt:");
    expect(statSync(run.stdout.trim()).size).toBeGreaterThan(50);
  },
  PATIENCE_MS,
);

test(
  "of a repository with several dtypes a box without a GPU pulls and runs what is meant for its processor",
  async () => {
    const data = newFolder();
    const cpu = { FORECOURT_DEVICE: "cpu" };
    const added = await call(data, ["models", "add", "tiny/Both"], cpu);
    expect(added.stderr).toContain("It is fp32 on cpu, fp16 on webgpu and cuda");
    const pull = async (...more: string[]): Promise<{ dtype: string; folder: string }[]> =>
      JSON.parse((await call(data, ["models", "pull", "tiny/both", "--json", ...more], cpu)).stdout);
    const [pulled] = await pull();
    expect(pulled).toMatchObject({ dtype: "fp32" });
    expect(readdirSync(join(pulled?.folder ?? "", "unet")).filter((name) => name.endsWith(".onnx"))).toEqual([
      "model.onnx",
    ]);
    const shown = await call(data, ["models", "show", "tiny/both"], cpu);
    expect(shown.stdout).toMatch(/dtype +fp32 \(cpu, as here\): .* loaded/);
    expect(shown.stdout).toMatch(/fp16 \(webgpu, cuda\): .* loaded/);
    const run = await call(data, ["run", "tiny/both", ...onePicture(data)], { FORECOURT_HUB_OFFLINE: "1" });
    expect(run.stderr).toContain("on cpu (fp32)");
    expect(statSync(run.stdout.trim()).size).toBeGreaterThan(50);

    expect((await pull("--for", "cuda,cpu")).map(({ dtype }) => dtype)).toEqual(["fp32", "fp16"]);
    expect(readdirSync(join(pulled?.folder ?? "", "unet"))).toContain("model_fp16.onnx");
    const file = join(data, "box.tar");
    expect((await call(data, ["models", "export", file, "tiny/both", "--for", "cuda"])).exitCode).toBe(0);
    const packed = Bun.spawnSync(["tar", "-tf", file]).stdout.toString();
    expect(packed).toContain("unet/model_fp16.onnx");
    expect(packed).not.toContain("unet/model.onnx");
    const wrong = await call(data, ["models", "pull", "tiny/both", "--for", "rocm"]);
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining("cpu, webgpu, cuda")]);
  },
  PATIENCE_MS,
);

test.each([
  ["tiny/triposr", "image-to-3d", ["image_url=@vision/small.png", "do_remove_background=false", "mc_resolution=32"]],
  ["tiny/moge-2", "image-to-scene", ["image_url=@vision/picture.png"]],
  ["tiny/mocap", "capture-motion", ["image_url=@motion/frames/0.png"]],
  ["tiny/words", "text-to-motion", ["prompt=walk", "seed=1"]],
])(
  "bare graphs of %s are known by their names, pulled and run by %s",
  async (repo, pipeline, inputs) => {
    const data = newFolder();
    const added = await call(data, ["models", "add", repo]);
    expect(added.stderr).toContain(`${repo} runs through ${pipeline}`);
    expect((await call(data, ["models", "pull", repo])).exitCode).toBe(0);
    const words = inputs.map((input) => input.replace("@", `@${join(import.meta.dir, "../../reference")}/`));
    const run = await call(
      data,
      ["run", repo, ...words, "--output", data, "--device", "cpu", "--port", "1", "--json"],
      { FORECOURT_HUB_OFFLINE: "1" },
    );
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout).toContain(".glb");
  },
  PATIENCE_MS,
);

test(
  "pulled weights are verified, mended and removed",
  async () => {
    const data = newFolder();
    await call(data, ["models", "add", "tiny/Diffusion"]);
    expect((await call(data, ["models", "verify", "tiny/diffusion"])).stderr).toContain("models pull tiny/diffusion");
    await call(data, ["models", "pull", "tiny/diffusion"]);
    expect((await call(data, ["models", "verify"])).stdout).toMatch(/^tiny\/diffusion: all \d+ files are right/);

    const unet = graphs["unet/model.onnx"] ?? new Uint8Array();
    const blob = join(data, "weights/models--tiny--Diffusion/blobs", sha256(unet));
    writeFileSync(blob, Buffer.from(unet).fill(7));
    const damaged = await call(data, ["models", "verify", "--discard"]);
    expect(damaged.exitCode).toBe(1);
    expect(damaged.stdout).toContain("damaged unet/model.onnx");
    await call(data, ["models", "pull", "tiny/diffusion"]);
    expect((await call(data, ["models", "verify"])).exitCode).toBe(0);

    expect((await call(data, ["models", "remove", "tiny/diffusion"])).stdout).toContain("are free again");
    expect(existsSync(blob)).toBe(false);
    expect((await call(data, ["models", "remove", "tiny/diffusion"])).stderr).toContain(
      "are not in the data directory",
    );
  },
  PATIENCE_MS,
);

const refusals: [string, string[], number, string][] = [
  ["an architecture that no pipeline runs", ["tiny/flux"], 1, "architecture AllegroPipeline"],
  ["a repository that is not there", ["tiny/none"], 1, "There is no repository tiny/none"],
  ["a revision that is not there", ["tiny/Diffusion@v9"], 1, "has no revision v9"],
  ["what is no repository", ["https://example.org/a/b"], 2, "is not a repository such as"],
  ["what is a folder", ["./weights"], 2, "is named by source.path of a model file"],
  ["a dtype that the repository lacks", ["tiny/Both", "--dtype", "cuda=q4"], 1, "only as fp32, fp16"],
  ["a dtype that is none", ["tiny/Both", "--dtype", "cpu=half"], 2, "--dtype cpu=half: write one of fp32, fp16"],
  ["an id that is taken", ["tiny/Diffusion", "--id", "forecourt/echo"], 1, "is taken by the built-in model"],
];
test.each(refusals)(
  "%s is not added, and nothing is written",
  async (_, words, exitCode, message) => {
    const data = newFolder();
    const ended = await call(data, ["models", "add", ...words]);
    expect(ended.stderr).toContain(message);
    expect(ended.exitCode).toBe(exitCode);
    expect(readdirSync(data)).toEqual([]);
  },
  PATIENCE_MS,
);

test(
  "a model that is carried along needs no pull, and one that is not fetched says so offline",
  async () => {
    const data = newFolder();
    expect((await call(data, ["models", "pull", "forecourt/echo"])).exitCode).toBe(0);
    const refused = await call(data, ["models", "add", "tiny/Diffusion"], { HF_HUB_OFFLINE: "1" });
    expect(refused.exitCode).toBe(1);
  },
  PATIENCE_MS,
);
