// `forecourt run` and `forecourt ps`, with and without a server.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { linesOf } from "../../src/cli/lines.ts";
import { MIB } from "../../src/core/units.ts";
import { createFakeHub, noise } from "../support/fake-hub.ts";
import { freePort, type LiveServer, startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";
import { dataWithTinyModel } from "./tiny-model.ts";

afterAll(removeFolders);

let server: LiveServer;
let address: string[];
beforeAll(async () => {
  server = await startServer({ data: dataWithTinyModel() });
  address = ["--data", server.data, "--port", String(server.port)];
});
afterAll(() => server[Symbol.asyncDispose]());

const here = async () => ["--data", dataWithTinyModel(), "--port", String(await freePort())];

test("an output without files is printed as JSON, with and without a server", async () => {
  const words = ["run", "forecourt/echo", "prompt=hello", "steps=3"];
  for (const where of [address, await here()]) {
    const { exitCode, stdout } = await forecourt([...words, ...where]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ prompt: "hello", steps: 3 });
  }
}, 60_000);

test("pictures are written, stdout has their paths alone, and one seed gives the same picture either way", async () => {
  const words = ["run", "test/tiny", "prompt=a star", "seed=3", "num_inference_steps=2", "output_format=png"];
  const pictures: Buffer[] = [];
  for (const where of [address, await here()]) {
    const { exitCode, stdout, stderr } = await forecourt([...words, "num_images=2", "-o", newFolder(), ...where]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining("on cpu") });
    const paths = stdout.trim().split("\n");
    expect(paths).toHaveLength(2);
    for (const path of paths) pictures.push(readFileSync(path));
  }
  expect(pictures[0]?.subarray(1, 4).toString()).toBe("PNG");
  expect(pictures[0]?.equals(pictures[2] ?? Buffer.alloc(0))).toBe(true);
  expect(pictures[0]?.equals(pictures[1] ?? Buffer.alloc(0))).toBe(false);
}, 60_000);

test("--json has the request, the output, the files, the device and the timing", async () => {
  const { stdout } = await forecourt([
    "run",
    "test/tiny",
    "prompt=x",
    "seed=1",
    "--json",
    "-o",
    newFolder(),
    ...address,
  ]);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ model: "test/tiny", device: "cpu", output: { seed: 1, prompt: "x" } });
  expect(result.files).toHaveLength(1);
  expect(result.timing).toMatch(/queue=[\d.]+, load=[\d.]+, run=[\d.]+/);
}, 60_000);

test("an input that the model refuses is wrong usage, said by field, with and without a server", async () => {
  for (const where of [address, await here()]) {
    const { exitCode, stdout, stderr } = await forecourt(["run", "forecourt/echo", "prompt=x", "steps=0", ...where]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toBe("forecourt: steps: Input should be greater than or equal to 1\n");
  }
}, 60_000);

test("a model that does not start fails with the reason, with and without a server", async () => {
  const data = dataWithTinyModel();
  const file = join(data, "models", "tiny.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^source: .*$/m, `source: { path: ${data} }`));
  await using broken = await startServer({ data });
  const words = ["run", "test/tiny", "prompt=x", "--data", data];
  for (const port of [broken.port, await freePort()]) {
    if (port !== broken.port) await broken.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await forecourt([...words, "--port", String(port), "--device", "cpu"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^forecourt: the file \S+ is not in /m);
  }
}, 60_000);

test("a model file that came after the server's start is told as that", async () => {
  await using old = await startServer({ env: { FORECOURT_MODELS_WATCH_SECONDS: "0" } });
  mkdirSync(join(old.data, "models"));
  const tiny = readFileSync(join(dataWithTinyModel(), "models", "tiny.yaml"), "utf8");
  writeFileSync(join(old.data, "models", "tiny.yaml"), tiny);
  for (const words of [
    ["run", "test/tiny", "prompt=x"],
    ["models", "update", "test/tiny"],
  ]) {
    const { exitCode, stderr } = await forecourt([...words, "--data", old.data]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("The running server does not know test/tiny: its file is newer than");
  }
  // The server has written down what it refused, and for whom.
  const acts = JSON.parse((await forecourt(["audit", "--json", "--data", old.data])).stdout);
  expect(acts).toMatchObject([{ action: "POST /admin/v1/models/test/tiny/update", outcome: "refused", code: 404 }]);
}, 60_000);

test("a server whose key is not in the data directory is told apart from none", async () => {
  const elsewhere = ["--data", newFolder(), "--port", String(server.port)];
  const { exitCode, stderr } = await forecourt(["run", "forecourt/echo", "prompt=x", ...elsewhere]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`A server answers at ${server.origin}, but its key can't be read.`);
  expect(stderr).toContain("--data");
});

test("a server that stands still is told apart from none, and from another that is in the way", async () => {
  await using still = await startServer();
  const there = ["--data", still.data, "--port", String(still.port)];
  process.kill(still.pid, "SIGSTOP");
  try {
    const run = await forecourt(["run", "forecourt/echo", "prompt=x", ...there]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain(`The server at ${still.origin} has not answered within 2 seconds`);
    expect(run.stderr).not.toContain("Another Forecourt");
    expect((await forecourt(["ps", ...there])).stderr).toBe(run.stderr);
    const { server: found, complaints } = JSON.parse((await forecourt(["doctor", "--json", ...there])).stdout);
    expect(found).toEqual({ origin: still.origin, state: "silent" });
    expect(complaints).toContainEqual(expect.objectContaining({ what: expect.stringContaining("does not answer") }));
  } finally {
    process.kill(still.pid, "SIGCONT");
  }
  expect((await forecourt(["run", "forecourt/echo", "prompt=x", ...there])).exitCode).toBe(0);
}, 60_000);

test("SIGINT cancels the run on the server too", async () => {
  const main = resolve(import.meta.dir, "../../src/main.ts");
  const words = ["run", "forecourt/echo", "prompt=x", "steps=1000", "step_ms=50", ...address];
  const child = Bun.spawn([process.execPath, main, ...words], { stdout: "ignore", stderr: "pipe" });
  const queue = async () => JSON.parse((await forecourt(["ps", "--json", ...address])).stdout).queue;
  while ((await queue()).length === 0) expect(child.exitCode).toBeNull();
  child.kill("SIGINT");
  expect(await child.exited).toBe(1);
  expect(await new Response(child.stderr).text()).toContain("The run was cancelled.");
  for (let left = 100; (await queue()).length > 0; left--) expect(left).toBeGreaterThan(0);
}, 60_000);

test("who waits for weights is told how far they are, by ps and by a run with and without a server", async () => {
  const files = { "model.onnx": noise(3 * MIB) };
  await using hub = createFakeHub({ repos: { "owner/far": { files } }, fault: () => ({ type: "hang", after: 10 }) });
  const env = { FORECOURT_HUB_ENDPOINT: hub.endpoint, FORECOURT_WEIGHTS_FETCH: "asked" };
  const source = { repo: "owner/far", revision: "main", include: ["*.onnx"], bytes: 3 * MIB };
  const dataOfFar = () => {
    const data = newFolder();
    mkdirSync(join(data, "models"));
    writeFileSync(join(data, "models", "far.yaml"), testModel("test/far", { source }).text);
    return data;
  };
  await using far = await startServer({ data: dataOfFar(), env });
  const there = ["--data", far.data, "--port", String(far.port)];
  for (const where of [there, ["--data", dataOfFar(), "--port", String(await freePort())]]) {
    const words = [
      process.execPath,
      resolve(import.meta.dir, "../../src/main.ts"),
      "run",
      "test/far",
      "prompt=x",
      ...where,
    ];
    const child = Bun.spawn(words, { env: { ...process.env, ...env }, stdout: "ignore", stderr: "pipe" });
    const told: string[] = [];
    for await (const line of linesOf(child.stderr)) {
      told.push(line);
      if (line.includes("of 3.0 MiB")) break;
    }
    expect(told.at(-1)).toStartWith("fetching weights, ");
    if (where === there) {
      const { stderr } = await forecourt(["ps", ...there]);
      expect(stderr).toMatch(/^The weights of test\/far are fetched: .* of 3\.0 MiB\.$/m);
    }
    child.kill("SIGINT");
    await child.exited;
  }
}, 120_000);

test("ps lists what is loaded, for people and for programs", async () => {
  await forecourt(["run", "forecourt/echo", "prompt=x", ...address]);
  const { exitCode, stdout } = await forecourt(["ps", ...address]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^forecourt\/echo +cpu +(ready|busy) /m);
  const status = JSON.parse((await forecourt(["ps", "--json", ...address])).stdout);
  expect(status.runners).toContainEqual(expect.objectContaining({ model: "forecourt/echo", device: "cpu" }));
});

test("ps without a server fails with the way to one, and --wait waits no longer than it is told", async () => {
  const nowhere = ["--data", newFolder(), "--port", String(await freePort())];
  const begun = performance.now();
  const { exitCode, stderr } = await forecourt(["ps", "--wait", "0.2", ...nowhere]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("forecourt serve");
  expect(performance.now() - begun).toBeLessThan(30_000);
  expect((await forecourt(["ps", "--wait", "soon", ...nowhere])).exitCode).toBe(2);
});
