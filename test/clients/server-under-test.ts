// The server that the client tests call: one given by FORECOURT_TEST_URL and FORECOURT_TEST_KEY, else one of their own.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../support/live-server.ts";

/** A server that is given needs this file in its `<data>/models/`. */
export const ECHO_MODEL = `
id: test/echo/idle
aliases: [fal-ai/echo/idle]
title: Echo
description: Gives the prompt back after a number of idle steps.
category: text-to-text
licence: { id: Apache-2.0, commercial: true }
pipeline: echo
source: { embedded: none }
memory: { weights: 0, working: 0 }
price: { unit: request, amount: 0, currency: USD }
`;

/** What a client needs to know. */
export type ServerUnderTest = { origin: string; key: string; [Symbol.asyncDispose](): Promise<void> };

export async function serverUnderTest(): Promise<ServerUnderTest> {
  const { FORECOURT_TEST_URL: origin, FORECOURT_TEST_KEY: key } = process.env;
  if (origin && key) return { origin, key, [Symbol.asyncDispose]: async () => {} };
  const data = await mkdtemp(join(tmpdir(), "forecourt-clients-"));
  await mkdir(join(data, "models"));
  await writeFile(join(data, "models", "echo.yaml"), ECHO_MODEL);
  const server = await startServer({ data });
  return {
    origin: server.origin,
    key: server.key,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(data, { recursive: true, force: true });
    },
  };
}
