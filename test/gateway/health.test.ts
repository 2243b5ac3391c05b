import { expect, test } from "bun:test";
import { createTestGateway } from "../support/test-gateway.ts";

test("/health answers while the box starts, /ready says 503 until it is up", async () => {
  let isReady = false;
  await using gateway = await createTestGateway({ isReady: () => isReady });
  const status = async (path: string) => (await gateway.ask("GET", path, { key: "" })).status;
  expect(await status("/health")).toBe(200);
  expect(await status("/ready")).toBe(503);
  isReady = true;
  expect(await status("/ready")).toBe(200);
});
