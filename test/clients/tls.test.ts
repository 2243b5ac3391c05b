// https with certificates of `forecourt tls init`, trusted by the client's environment alone.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forecourt, type LiveServer, startServer } from "../support/live-server.ts";
import { ECHO_MODEL } from "./server-under-test.ts";

let folder: string;
let server: LiveServer;
const pem = (name: string) => join(folder, "tls", `${name}.pem`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forecourt-tls-"));
  await ended([...forecourt, "tls", "init", "--names", "localhost", "--dir", join(folder, "tls")]);
  server = await startServer({ models: [ECHO_MODEL], tls: { cert: pem("cert"), key: pem("key"), ca: pem("ca") } });
}, 90_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function ended(command: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn(command, { env: { ...process.env, ...env }, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

const callWith = (env: Record<string, string>) =>
  ended([process.execPath, join(import.meta.dir, "call-over-tls.ts")], {
    ...{ BOX: server.origin, FAL_KEY: server.key },
    ...env,
  });

describe("@fal-ai/client over TLS", () => {
  test("runs and uploads when NODE_EXTRA_CA_CERTS names the authority", async () => {
    const { stdout, stderr } = await callWith({ NODE_EXTRA_CA_CERTS: pem("ca") });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      data: { prompt: "over TLS", steps: 1 },
      url: expect.stringContaining(`${server.origin}/cdn/files/b/`),
      file: "over TLS too",
    });
  }, 60_000);

  test("refuses the box when it does not", async () => {
    const { exitCode, stderr } = await callWith({ NODE_EXTRA_CA_CERTS: "" });
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/certificate/i);
  }, 60_000);
});

test("the command line finds the server on its own machine", async () => {
  const env = { FORECOURT_TLS_CERT: pem("cert"), FORECOURT_TLS_KEY: pem("key") };
  const words = ["ps", "--data", server.data, "--port", String(server.port)];
  const { exitCode, stdout, stderr } = await ended([...forecourt, ...words], env);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout.toLowerCase()).toContain("cpu");
}, 60_000);
