// What is wrong with files and settings that operators write, as `forecourt doctor` and `forecourt serve` tell it.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "../support/live-server.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";
import { dataWithTinyModel } from "./tiny-model.ts";

setDefaultTimeout(60_000);
afterAll(removeFolders);

/** A data directory whose one model file was changed. */
function dataWithModel(change: (text: string) => string): string {
  const data = dataWithTinyModel();
  const file = join(data, "models", "tiny.yaml");
  writeFileSync(file, change(readFileSync(file, "utf8")));
  return data;
}

const complaintsOf = async (data: string) => {
  const { stdout } = await forecourt(["doctor", "--json", "--device", "cpu", "--port", "0", "--data", data]);
  const { complaints } = JSON.parse(stdout) as { complaints: { severity: string; what: string; remedy: string }[] };
  return complaints;
};
const warning = (what: string, remedy: string) => ({
  severity: "warning",
  what: expect.stringContaining(what),
  remedy: expect.stringContaining(remedy),
});

/** Besides what is read: names that only look like it, a folder of models and one of weights. */
function dataWithUnreadFiles(): string {
  const data = dataWithTinyModel();
  const models = join(data, "models");
  const text = readFileSync(join(models, "tiny.yaml"), "utf8");
  for (const folder of ["more", "weights"]) mkdirSync(join(models, folder));
  for (const name of ["LOUD.YAML", "more/tiny.yaml", "tiny.yaml~", "notes.txt"])
    writeFileSync(join(models, name), text);
  for (const name of ["model.json", "weights/config.json", "weights/config.yaml"])
    writeFileSync(join(models, name), "{}\n");
  return data;
}

test("files that look like models and are not read are warnings, of doctor and of the server", async () => {
  const data = dataWithUnreadFiles();
  const unread = ["LOUD.YAML", "model.json", "more/tiny.yaml"].map(
    (name) => `${join(data, "models", name)} is not read`,
  );
  const complaints = await complaintsOf(data);
  expect(complaints.map(({ what }) => what).sort()).toEqual(unread);
  expect(complaints[0]).toEqual(warning("", "end in .yaml or .yml"));
  await using server = await startServer({ data });
  for (const what of unread) expect(server.output()).toContain(what);
});

test("examples that the model would refuse are warnings", async () => {
  const examples = "examples: [{ promt: a circle }, { prompt: 5 }, { prompt: a circle, seed: 1 }]\n";
  const complaints = await complaintsOf(dataWithModel((text) => `${text}${examples}`));
  expect(complaints).toEqual([
    warning("tiny.yaml: examples.0.promt is no input of the model", "prompt"),
    warning("tiny.yaml: examples.1.prompt would be refused", "valid string"),
  ]);
});

test("defaults of realtime connections are a warning where the pipeline has none", async () => {
  const change = (text: string) =>
    `${text}realtime: { defaults: { prompt: x } }\n`
      .replace("pipeline: text-to-image", "pipeline: embed")
      .replace("unit: image", "unit: token");
  expect(await complaintsOf(dataWithModel(change))).toEqual([warning("realtime.defaults change nothing", "embed")]);
});

for (const [what, change, says] of [
  [
    "a key that is there twice",
    (text: string) => `${text}title: Other\n`,
    "title is there twice, in line 3 and line 11",
  ],
  [
    "graphs outside of the weights",
    (text: string) => `${text}graphs: { unet/model.onnx: ../../other.onnx }\n`,
    "graphs.unet/model.onnx: Input should be a path within the weights",
  ],
  [
    "a price's unit in another form",
    (text: string) => text.replace("unit: image", "unit: Image"),
    "price.unit: Input should be a unit in the singular",
  ],
  [
    "a checksum in another form",
    (text: string) =>
      text.replace(/^source: .*$/m, 'source: { urls: [{ url: "http://a.example/b", bytes: 1, sha256: ABC }] }'),
    "source.urls.0.sha256: Input should be a file's SHA-256 in 64 hexadecimal digits",
  ],
  [
    "a URL that leads nowhere",
    (text: string) =>
      text.replace(/^source: .*$/m, `source: { urls: [{ url: "http://:::", bytes: 1, sha256: ${"0".repeat(64)} }] }`),
    "source.urls.0.url: Input should be an address such as",
  ],
] as const)
  test(`${what} in a model file is refused in words`, async () => {
    const { exitCode, stderr } = await forecourt(["models", "show", "test/tiny", "--data", dataWithModel(change)]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`tiny.yaml: `)]);
    expect(stderr).toContain(says);
  });

test("a setting that is there twice is refused with its lines", async () => {
  const data = newFolder();
  writeFileSync(join(data, "appliance.yaml"), "jobs:\n  max_queue: 1\n  retries: 2\n  max_queue: 3\n");
  const { exitCode, stderr } = await forecourt(["models", "list", "--data", data]);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("max_queue is there twice, in line 2 and line 4")]);
});

test("a settings file that is there and cannot be read is refused, and not passed by", async () => {
  const [dangling, folder] = [newFolder(), newFolder()];
  symlinkSync("/nowhere/appliance.yaml", join(dangling, "appliance.yaml"));
  mkdirSync(join(folder, "appliance.yaml"));
  for (const [data, says] of [
    [dangling, "is a link to a file that is not there"],
    [folder, "cannot be read: EISDIR"],
  ] as const) {
    const { exitCode, stderr } = await forecourt(["models", "list", "--data", data]);
    const file = join(data, "appliance.yaml");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`The settings file ${file} ${says}`)]);
  }
});

test("settings come through a pipe, too", async () => {
  const script = `echo 'threads: 7' | "$@"`;
  const words = [process.execPath, "src/main.ts", "doctor", "--json", "--config", "/dev/stdin", "--port", "0"];
  const shell = Bun.spawn(["sh", "-c", script, "sh", ...words, "--data", newFolder()], {
    cwd: `${import.meta.dir}/../..`,
    stdout: "pipe",
    stderr: "inherit",
  });
  const { settings } = await new Response(shell.stdout).json();
  expect(settings).toContainEqual(expect.objectContaining({ name: "threads", value: 7, origin: "/dev/stdin" }));
});

for (const name of ["PUBLIC_URL", "HUB_PROXY", "HUB_ENDPOINT", "STORAGE_S3_ENDPOINT", "TRACING_ENDPOINT", "ALERTS_URL"])
  test(`an address that leads nowhere is refused: ${name}`, async () => {
    const variable = `FORECOURT_${name}`;
    const { exitCode, stderr } = await forecourt(["models", "list", "--data", newFolder()], {
      [variable]: "http://:::",
    });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`(from ${variable}): Input should be an address`)]);
  });

for (const [host, says] of [
  ["300.1.1.1", "that is no address"],
  ["192.0.2.1", "this machine has no such address"],
  ["http://x.invalid", "that is neither an address nor a name that leads to one"],
] as const)
  test(`a host that is none is told in words: ${host}`, async () => {
    const words = ["serve", "--data", newFolder(), "--port", "0", "--device", "cpu", "--host", host];
    const { exitCode, stderr } = await forecourt(words);
    const last = stderr.trim().split("\n").at(-1);
    expect([exitCode, last]).toEqual([
      1,
      expect.stringContaining(`Cannot listen on ${host} port 0: ${says}. See \`ip address\``),
    ]);
  });
