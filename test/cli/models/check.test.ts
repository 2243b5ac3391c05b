// `forecourt models check` as an operator runs it.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFakeHub, noise } from "../../support/fake-hub.ts";
import { testModel } from "../../support/test-models.ts";
import { forecourt, newFolder, removeFolders } from "../command.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

afterAll(removeFolders);

test("a table of what differs and exit code 1; 0 where all is as the files say", async () => {
  await using hub = createFakeHub({ repos: { "owner/name": { files: { "a.bin": noise(40) } } } });
  const data = newFolder();
  mkdirSync(join(data, "models"));
  const write = (id: string, include: string[]) => {
    const source = { repo: "owner/name", revision: "main", include, bytes: 40 };
    writeFileSync(join(data, "models", `${id.replace("/", "-")}.yaml`), testModel(id, { source }).text);
  };
  write("acme/right", ["*.bin"]);
  write("acme/wrong", ["*.bin", "*.txt"]);
  const check = (...words: string[]) =>
    forecourt(["models", "check", ...words, "--data", data], { FORECOURT_HUB_ENDPOINT: hub.endpoint });
  const both = await check("acme/right", "acme/wrong");
  expect(both.exitCode).toBe(1);
  expect(both.stdout).toMatch(/^MODEL +ABOUT +MODEL FILE +SOURCE\nacme\/wrong +\*\.txt +a file that matches +none\n$/);
  expect(both.stderr).toEndWith("forecourt: 1 of 2 models differ from their source.\n");
  const right = await check("acme/right", "--json");
  expect(right.exitCode).toBe(0);
  expect(JSON.parse(right.stdout)).toMatchObject([{ model: "acme/right", differences: [] }]);
}, 60_000);

test("without a network it says so", async () => {
  const { exitCode, stderr } = await forecourt(["models", "check"], { FORECOURT_HUB_OFFLINE: "1" });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("hub.offline is set");
});
