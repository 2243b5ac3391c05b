// `forecourt models` over the built-in catalogue and an operator's own file.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { forecourt, newFolder, removeFolders } from "./command.ts";

// Processes on a loaded machine.
setDefaultTimeout(60_000);

afterAll(removeFolders);

const own = `
id: acme/parrot
aliases: [acme/bird]
title: Parrot
description: Says it again.
category: llm
licence: { id: Apache-2.0, commercial: true }
pipeline: echo
source: { embedded: none }
defaults: { steps: 3 }
memory: { weights: 1048576, working: 0 }
price: { unit: request, amount: 0.25, currency: EUR }
`;

function dataWith(text: string): string {
  const data = newFolder();
  mkdirSync(join(data, "models"));
  writeFileSync(join(data, "models", "parrot.yaml"), text);
  return data;
}

test("the list has the built-in models and the operator's, with origin and price", async () => {
  const data = dataWith(own);
  const { exitCode, stdout } = await forecourt(["models", "list", "--data", data]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/forecourt\/echo .* free +built-in/);
  expect(stdout).toContain("0.25 EUR per request");
  expect(stdout).toContain(join(data, "models", "parrot.yaml"));
});

test("the list says whose weights are not on the disk, and what to run", async () => {
  const { stdout, stderr } = await forecourt(["models", "list", "--data", newFolder()]);
  expect(stdout).toMatch(/huggingfacetb\/smollm2-360m-instruct .* not here, 398 MiB/);
  expect(stdout).toMatch(/forecourt\/demo-llama .* built in/);
  expect(stderr).toContain("`forecourt models pull ID` fetches one");
  const { stdout: shown } = await forecourt(["models", "show", "fal-ai/birefnet", "--data", newFolder()]);
  expect(shown).toContain("onnx-community/BiRefNet_lite-ONNX, main: whichever commit that is when it is fetched");
});

test("a model is shown by its alias, with its own defaults", async () => {
  const data = dataWith(own);
  const { stdout } = await forecourt(["models", "show", "acme/bird", "--data", data]);
  expect(stdout).toContain("Parrot: Says it again.");
  expect(stdout).toMatch(/prompt +string +required/);
  expect(stdout).toMatch(/steps +integer 1\.\.1000 +3 /);
});

test("--json has the model's file and its schemas", async () => {
  const { stdout } = await forecourt(["models", "show", "forecourt/echo", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    id: "forecourt/echo",
    origin: "built-in",
    input: { type: "object", required: ["prompt"], properties: { prompt: { type: "string" } } },
  });
});

test("an unknown model is a failure that offers the near ones", async () => {
  const { exitCode, stderr } = await forecourt(["models", "show", "echo"]);
  expect(exitCode).toBe(1);
  expect(stderr).toBe("forecourt: There is no model echo. This box has: forecourt/echo.\n");
});

test("an id that is far from all is not answered with all of them", async () => {
  const show = async (id: string) => (await forecourt(["models", "show", id, "--data", newFolder()])).stderr;
  expect(await show("nothing/here")).toBe(
    "forecourt: There is no model nothing/here. `forecourt models list` shows those of this box.\n",
  );
  expect(await show("whisper")).toMatch(/This box has: openai\/whisper-base\/speakers, [^,]+, [^,]+\.\n$/);
});

test("that the Hub is waited for is told while it is", async () => {
  let asked = 0;
  using hub = Bun.serve({ port: 0, fetch: () => new Response("", { status: ++asked === 1 ? 503 : 404 }) });
  const { exitCode, stderr } = await forecourt(["models", "add", "acme/parrot", "--data", newFolder()], {
    FORECOURT_HUB_ENDPOINT: hub.url.origin,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^[^\n]+[^.]\. Trying again in 1 s\.\nforecourt: [^\n]+\n$/);
});

test("the address of a repository's page is as good as its name", async () => {
  const asked: string[] = [];
  using hub = Bun.serve({
    port: 0,
    fetch: ({ url }) => {
      asked.push(new URL(url).pathname);
      return new Response("", { status: 404 });
    },
  });
  const words = ["models", "add", "https://huggingface.co/acme/parrot/tree/v2", "--data", newFolder()];
  await forecourt(words, { FORECOURT_HUB_ENDPOINT: hub.url.origin });
  expect(asked[0]).toContain("/acme/parrot/revision/v2");
});

test("a wrong model file is named with its field", async () => {
  const { exitCode, stderr } = await forecourt(["models", "list", "--data", dataWith(own.replace("echo", "ecco"))]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain("parrot.yaml");
  expect(stderr).toContain("pipeline");
});
