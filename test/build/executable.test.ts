// The compiled executable alone: no checkout, no node_modules, an empty environment, an empty directory.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "../../src/core/schema.ts";
import { encodeWav } from "../../src/engine/media/wav.ts";
import { speak } from "../../src/engine/pipelines/speak.ts";
import { textToImage } from "../../src/engine/pipelines/text-to-image.ts";
import { transcribe } from "../../src/engine/pipelines/transcribe.ts";
import { type BuiltExecutable, buildOnce } from "../support/build-once.ts";
import { echoModel, watchFleet } from "../support/fleet-watcher.ts";
import { freePort, until } from "../support/live-server.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

let executable: BuiltExecutable;
let empty = "";
beforeAll(async () => {
  executable = await buildOnce();
  empty = await mkdtemp(join(tmpdir(), "forecourt-empty-"));
}, 120_000);
afterAll(async () => {
  await executable[Symbol.asyncDispose]();
  await rm(empty, { recursive: true, force: true });
});

const TINY = resolve(import.meta.dir, "../engine/tiny/optimum");
const model = echoModel({ id: "test/tiny-diffusion", pipeline: "text-to-image" });
const input = parse(textToImage.input, {
  prompt: "a red circle",
  num_inference_steps: 2,
  seed: 1,
  output_format: "webp",
});

/** `forecourt runner` as a fleet starts it, but with nothing of this environment. */
const bareRunner = () => ["/bin/sh", "-c", BARE, empty, executable.path];
const CHANNEL = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"].map((name) => `${name}="$${name}"`).join(" ");
const BARE = `exec env -i -C "$0" ${CHANNEL} "$1" runner`;

test("it runs graphs and encodes pictures with the libraries that it carries", async () => {
  await using watched = await watchFleet({ command: bareRunner() });
  const { runner, pid } = await watched.start(model, TINY);
  watched.run(runner, [input]);
  await watched.next("idle");
  const names = (await readdir(watched.folder)).filter((name) => name.endsWith(".webp"));
  expect(names).toHaveLength(1);
  const maps = await Bun.file(`/proc/${pid}/maps`).text();
  const libraries = [
    ...maps.matchAll(/\/\S*\/(libonnxruntime\.so\.1|onnxruntime_binding\.node|libvips-cpp\S*|sharp-\S*\.node)$/gm),
  ];
  expect(new Set(libraries.map(([, name]) => name)).size).toBe(4);
  for (const [path] of libraries) expect(path).toStartWith(join(watched.folder, "runtime/native-"));
  expect(maps).not.toContain("node_modules");
  expect(await readdir(empty)).toEqual([]); // nor anything beside it
});

const SPEECH = resolve(import.meta.dir, "../reference/speech/whisper");
const beep = Float32Array.from({ length: 16_000 }, (_, i) => Math.sin(i / 7) / 2);

test("it runs models of transformers.js, from their folder alone", async () => {
  await using watched = await watchFleet({ command: bareRunner() });
  const whisper = echoModel({ id: "test/tiny-whisper", pipeline: "transcribe" });
  const { runner } = await watched.start(whisper, SPEECH);
  const audio_url = `data:audio/wav;base64,${encodeWav({ samples: beep, rate: 16_000 }).toBase64()}`;
  watched.run(runner, [parse(transcribe.input, { audio_url })]);
  await watched.next("idle");
  const steps = watched.events.flatMap((event) => (event.type === "step" ? [event.step] : []));
  expect(steps.at(-1)).toMatchObject({
    type: "output",
    value: { duration: 1, inferred_languages: [expect.any(String)] },
  });
  expect(await readdir(empty)).toEqual([]);
});

const VOICE = resolve(import.meta.dir, "../reference/speech/vits");

test("it speaks in every format and hears it again, with the codecs that it carries", async () => {
  await using watched = await watchFleet({ command: bareRunner() });
  const voice = await watched.start(echoModel({ id: "test/tiny-vits", pipeline: "speak" }), VOICE);
  const ear = await watched.start(echoModel({ id: "test/tiny-whisper", pipeline: "transcribe" }), SPEECH);
  for (const output_format of ["mp3", "opus", "flac"]) {
    watched.run(voice.runner, [parse(speak.input, { text: "hello there", output_format })]);
    await watched.next("idle", voice.runner);
  }
  const files = (await readdir(watched.folder)).filter((name) => /\.(mp3|ogg|flac)$/.test(name)).sort();
  expect(files.map((name) => name.replace(/^.*\./, ""))).toEqual(["flac", "mp3", "ogg"]);
  for (const name of files) {
    const bytes = new Uint8Array(await readFile(join(watched.folder, name)));
    const audio_url = `data:audio/any;base64,${bytes.toBase64()}`;
    watched.run(ear.runner, [parse(transcribe.input, { audio_url })]);
    await watched.next("idle", ear.runner);
  }
  expect(watched.events.filter(({ type }) => type === "job-failed")).toEqual([]);
}, 60_000);

test("two runners that unpack the libraries at the same moment both work", async () => {
  await using watched = await watchFleet({ command: bareRunner() });
  const first = watched.start(model, TINY);
  const second = watched.start(echoModel({ ...model, id: "test/other" }), TINY);
  for (const { runner } of [await first, await second]) watched.run(runner, [{ ...input, sync_mode: true }]);
  await watched.next("idle");
  await watched.next("idle");
  expect(await readdir(join(watched.folder, "runtime"))).toEqual([expect.stringMatching(/^native-[0-9a-f]{16}$/)]);
});

test("a server goes on starting runners of its own version after an upgrade replaced the file", async () => {
  const file = join(empty, "forecourt");
  const data = join(empty, "data");
  await copyFile(executable.path, file);
  const port = await freePort();
  await using server = Bun.spawn([file, "serve", "--data", data, "--port", String(port), "--device", "cpu"], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const origin = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${origin}/ready`).catch(() => undefined))?.ok ?? false, "the server is ready");
  await writeFile(`${file}.upgrade`, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  await rename(`${file}.upgrade`, file);
  const key = (await readFile(join(data, "admin.key"), "utf8")).trim();
  const answer = await fetch(`${origin}/run/forecourt/echo`, {
    method: "POST",
    headers: { authorization: `Key ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ prompt: "still here" }),
  });
  expect(await answer.json()).toMatchObject({ prompt: "still here" });
  server.kill();
  expect(await server.exited).toBe(0);
});
