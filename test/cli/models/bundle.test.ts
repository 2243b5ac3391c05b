// `forecourt models export` and `import`: from one box to another.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFakeHub, noise } from "../../support/fake-hub.ts";
import { testModel } from "../../support/test-models.ts";
import { forecourt, newFolder, removeFolders } from "../command.ts";

afterAll(removeFolders);

test("what one box exports another imports without a network", async () => {
  await using hub = createFakeHub({ repos: { "acme/weights": { files: { "model.bin": noise(5000) } } } });
  const [data, other, to] = [newFolder(), newFolder(), join(newFolder(), "models.tar")];
  mkdirSync(join(data, "models"));
  const source = { repo: "acme/weights", revision: "main", include: ["*.bin"], bytes: 5000 };
  const licence = { id: "sai-nc-community", commercial: false };
  writeFileSync(join(data, "models", "one.yaml"), testModel("acme/one", { source, licence }).text);
  const on = (box: string, ...words: string[]) =>
    forecourt(["models", ...words, "--data", box], {
      FORECOURT_HUB_ENDPOINT: hub.endpoint,
      HF_HOME: "/nonexistent",
      ...(box === other && { FORECOURT_HUB_OFFLINE: "1" }),
    });

  const early = await on(data, "export", to, "acme/one");
  expect(early.exitCode).toBe(1);
  expect(early.stderr).toContain("forecourt models pull acme/one");
  await on(data, "pull", "acme/one");
  const exported = await on(data, "export", to, "acme/one", "forecourt/echo");
  expect(exported.exitCode).toBe(0);
  expect(exported.stderr).toContain("2 models, 4 files");
  expect(exported.stderr).toContain("Not for commercial use: acme/one.");
  const asked = hub.requests.length;

  const imported = await on(other, "import", to, "--json");
  expect(imported.exitCode).toBe(0);
  expect(JSON.parse(imported.stdout).models).toMatchObject([
    { id: "acme/one", commit: hub.commit, file: join(other, "models/acme--one.yaml") },
    { id: "forecourt/echo" },
  ]);
  const { stdout } = await on(other, "show", "acme/one", "--json");
  expect(JSON.parse(stdout).weights).toMatchObject({ state: "complete", commit: hub.commit, bytes: 5000 });
  expect((await on(other, "verify", "acme/one")).exitCode).toBe(0);
  expect(hub.requests.length).toBe(asked);
}, 240_000);

test("an archive of the other kind is told with the command that takes it, and nothing is changed", async () => {
  const [data, other, folder] = [newFolder(), newFolder(), newFolder()];
  const [bundle, box] = [join(folder, "models.tar"), join(folder, "box.tar")];
  await forecourt(["keys", "create", "--name", "x", "--data", data]);
  expect((await forecourt(["models", "export", bundle, "forecourt/echo", "--data", data])).exitCode).toBe(0);
  expect((await forecourt(["backup", box, "--data", data])).exitCode).toBe(0);
  const restored = await forecourt(["restore", bundle, "--data", other]);
  expect([restored.exitCode, restored.stderr]).toEqual([
    2,
    expect.stringContaining("`forecourt models import` takes it"),
  ]);
  const imported = await forecourt(["models", "import", box, "--data", other]);
  expect([imported.exitCode, imported.stderr]).toEqual([2, expect.stringContaining("`forecourt restore` takes it")]);
  expect(existsSync(join(other, "forecourt.sqlite"))).toBe(false);
}, 240_000);
