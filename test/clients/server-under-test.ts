// The server that the client tests call: one given by FORECOURT_TEST_URL and FORECOURT_TEST_KEY, else one of their own.
import { startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";

/** A server that is given needs this file in its `<data>/models/`. */
export const ECHO_MODEL = testModel("test/echo/idle", { aliases: ["fal-ai/echo/idle"], sizeMb: 0 });

/** What a client needs to know. */
export type ServerUnderTest = { origin: string; key: string; [Symbol.asyncDispose](): Promise<void> };

export async function serverUnderTest(): Promise<ServerUnderTest> {
  const { FORECOURT_TEST_URL: origin, FORECOURT_TEST_KEY: key } = process.env;
  if (origin && key) return { origin, key, [Symbol.asyncDispose]: async () => {} };
  return await startServer({ models: [ECHO_MODEL] });
}
