import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

const settingsWith = (allowOrigins: string[]) => ({
  publicUrl: "",
  allowOrigins,
  limits: { bodyMb: 16 },
  realtime: { sessionSeconds: 60 },
});

let open: TestGateway;
let picky: TestGateway;
beforeAll(async () => {
  open = await createTestGateway();
  picky = await createTestGateway({ settings: settingsWith(["https://app.example.org"]) });
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await picky[Symbol.asyncDispose]();
});

const preflight = (gateway: TestGateway, origin: string) =>
  gateway.ask("OPTIONS", "/queue/forecourt/echo", {
    key: "",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, x-fal-queue-priority",
    },
  });

describe("calls from web pages", () => {
  test("may come from anywhere with a key, without credentials of the browser's own", async () => {
    const response = await preflight(open, "https://anywhere.example");
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-allow-headers")).toBe("authorization, x-fal-queue-priority");
    expect(response.headers.get("access-control-allow-methods")).toContain("PUT");
    expect(response.headers.has("access-control-allow-credentials")).toBe(false);
  });

  test("can read the request id of answers and of errors", async () => {
    for (const key of [open.apiKey, ""]) {
      const response = await open.ask("POST", "/run/forecourt/echo", { key, body: { prompt: "hi" } });
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(response.headers.get("access-control-expose-headers")).toContain("x-fal-request-id");
    }
  });

  test("are kept to the listed origins where a list is set", async () => {
    const known = await preflight(picky, "https://app.example.org");
    expect(known.headers.get("access-control-allow-origin")).toBe("https://app.example.org");
    expect(known.headers.get("vary")).toBe("Origin");
    const unknown = await preflight(picky, "https://other.example.org");
    expect(unknown.headers.has("access-control-allow-origin")).toBe(false);
    const call = await picky.ask("GET", "/models", { headers: { origin: "https://other.example.org" } });
    expect(call.headers.has("access-control-allow-origin")).toBe(false);
  });
});
