// Settings that name what this box has not: `forecourt serve` starts and says so, `forecourt doctor` too, requests get a reason.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "../support/live-server.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";

setDefaultTimeout(60_000);
afterAll(removeFolders);

function dataWith(settings: string): string {
  const data = newFolder();
  writeFileSync(join(data, "appliance.yaml"), settings);
  return data;
}

const misspelled = `
pools:
  - { name: cards, devices: ["cuda:7"], models: [forecourt/echo] }
  - { name: films, devices: [cpu, "webgpu:3"], models: ["nobody/*"] }
memory:
  pinned: [forecourt/demo-diffussion]
  warm: ["category:text-to-vidio"]
  reserve: ["cuda:7=100"]
weights: { track: [forecourt/demo-llama] }
`;
const said: [severity: "failed" | "warning", what: string, remedy: string][] = [
  ["failed", "pools, cards: models run on no cuda:7 here, so requests of its models are refused", "they run on cpu"],
  ["warning", "pools, films: models run on no webgpu:3 here", "they run on cpu"],
  ["warning", "pools, films: nobody/* fits no model", "forecourt models list"],
  ["warning", "pools: all devices are set apart, so", '["*"]'],
  ["warning", "memory.pinned: forecourt/demo-diffussion fits no model", "did you mean forecourt/demo-diffusion?"],
  ["warning", "memory.warm: category:text-to-vidio fits no model", "category:text-to-image"],
  ["warning", "memory.reserve: models run on no cuda:7 here", "they run on cpu"],
  ["warning", "weights.track: forecourt/demo-llama fits no model that has a repository", "forecourt models list"],
  ["warning", "there is no setting FORECOURT_MAX_QUEUE", "FORECOURT_JOBS_MAX_QUEUE"],
];

test("the server says at its start what leads nowhere, and of requests that cannot run why", async () => {
  const data = dataWith(misspelled);
  await using server = await startServer({ data, env: { FORECOURT_MAX_QUEUE: "5", FORECOURT_KEY: "id:secret" } });
  const lines = server
    .output()
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  for (const [, what, remedy] of said)
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: "warn",
        message: expect.stringContaining(what),
        remedy: expect.stringContaining(remedy),
      }),
    );
  // What callers keep their key in is no setting, and not meant to be one.
  expect(server.output()).not.toContain("FORECOURT_KEY");
  const answer = await fetch(`${server.origin}/run/forecourt/echo`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}` },
    body: JSON.stringify({ prompt: "x" }),
  });
  expect([answer.status, await answer.json()]).toEqual([
    503,
    {
      detail: expect.stringContaining("its pool cards has cuda:7, and models run on cpu here"),
      error_type: "runner_connection_error",
    },
  ]);
});

test("doctor says the same, and that requests are refused is a failure", async () => {
  const { exitCode, stdout } = await forecourt(
    ["doctor", "--json", "--device", "cpu", "--port", "0", "--data", dataWith(misspelled)],
    { FORECOURT_MAX_QUEUE: "5" },
  );
  expect(exitCode).toBe(1);
  const { complaints } = JSON.parse(stdout);
  for (const [severity, what, remedy] of said)
    expect(complaints).toContainEqual({
      severity,
      what: expect.stringContaining(what),
      remedy: expect.stringContaining(remedy),
    });
});

test("settings that lead somewhere are no complaint", async () => {
  const data = dataWith(`
pools: [{ name: all, devices: [cpu], models: ["*"] }]
memory: { pinned: [forecourt/demo-llama], warm: ["category:text-to-image"], reserve: [cpu=100] }
`);
  const { exitCode, stdout } = await forecourt(["doctor", "--json", "--device", "cpu", "--port", "0", "--data", data], {
    FORECOURT_JOBS_MAX_QUEUE: "5",
  });
  expect([exitCode, JSON.parse(stdout).complaints]).toEqual([0, []]);
});

for (const [why, pools, says] of [
  ["an invented device", '[{ name: a, devices: [gpu0], models: ["*"] }]', "cpu or a device such as cuda:0"],
  [
    "two of one name",
    '[{ name: a, devices: [cpu], models: ["*"] }, { name: a, devices: [cpu], models: ["x/*"] }]',
    "two of them are named a",
  ],
] as const)
  test(`pools with ${why} stop the start`, async () => {
    const words = ["serve", "--data", dataWith(`pools: ${pools}\n`), "--port", "0", "--device", "cpu"];
    const { exitCode, stderr } = await forecourt(words);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(says)]);
  });
