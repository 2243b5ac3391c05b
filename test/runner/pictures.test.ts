// Native code in a runner: pictures are written where the job says, and nothing else is touched.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse } from "../../src/core/schema.ts";
import { textToImage } from "../../src/engine/pipelines/text-to-image.ts";
import { echoModel, watchFleet } from "../support/fleet-watcher.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

const TINY = resolve(import.meta.dir, "../engine/tiny/optimum");
const model = echoModel({ id: "test/tiny-diffusion", pipeline: "text-to-image" });
const input = parse(textToImage.input, {
  prompt: "a red circle",
  num_inference_steps: 2,
  seed: 1,
  output_format: "png",
});

test("a picture lands in the job's folder, whole, and its name is in the output", async () => {
  await using watched = await watchFleet();
  const { runner } = await watched.start(model, TINY);
  watched.run(runner, [input]);
  await watched.next("idle");
  const output = watched.events.findLast((event) => event.type === "step")?.step;
  expect(output).toMatchObject({
    type: "output",
    value: { images: [{ url: expect.stringMatching(/^forecourt-file:/) }] },
  });
  const names = (await readdir(watched.folder)).filter((name) => name !== "runtime");
  expect(names).toHaveLength(1);
  const picture = await Bun.file(join(watched.folder, names[0] ?? "")).bytes();
  expect([...picture.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
});

test("native libraries are mapped by the runner only", async () => {
  await using watched = await watchFleet();
  const { runner, pid } = await watched.start(model, TINY);
  watched.run(runner, [input]);
  await watched.next("idle");
  const maps = await Bun.file(`/proc/${pid}/maps`).text();
  expect(maps).toContain("libonnxruntime.so");
  expect(maps).toContain("libvips-cpp.so");
});

test("onnxruntime reports to nobody: it leaves no device id and no database in the home directory", async () => {
  await using scratch = await watchFleet();
  const home = join(scratch.folder, "home");
  // The variables that its telemetry takes for a test environment are kept from it.
  const asAtHome = ["/usr/bin/env", "-u", "CI", "-u", "XDG_CACHE_HOME", `HOME=${home}`];
  await using atHome = await watchFleet({ command: [...asAtHome, process.execPath, resolve("src/main.ts"), "runner"] });
  const { runner, pid } = await atHome.start(model, TINY);
  atHome.run(runner, [input]);
  await atHome.next("idle");
  expect(await Bun.file(`/proc/${pid}/maps`).text()).not.toContain("Microsoft");
  const written = await readdir(home).catch(() => []);
  expect(written.filter((name) => name !== ".bun")).toEqual([]); // Bun keeps compiled sources there
});
