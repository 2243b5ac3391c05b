import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const viaProxy = (method: string, target: string | undefined, { path = "/fal/proxy", body = {} as unknown } = {}) =>
  gateway.ask(method, path, {
    headers: target === undefined ? {} : { "x-fal-target-url": target },
    ...(method !== "GET" && { body }),
  });

describe("the proxy route", () => {
  test.each(["/fal/proxy", "/api/fal/proxy"])("%s leads to the face that the target's host names", async (path) => {
    const run = await viaProxy("POST", "https://fal.run/forecourt/echo", { path, body: { prompt: "by proxy" } });
    expect(await run.json()).toEqual({ prompt: "by proxy", steps: 1 });
    const submitted = await viaProxy("POST", "https://queue.fal.run/fal-ai/echo/fast", { path, body: { prompt: "q" } });
    const { request_id, status_url } = await submitted.json();
    expect(status_url).toBe(`http://localhost/queue/fal-ai/echo/requests/${request_id}/status`);
    const target = `https://queue.fal.run/fal-ai/echo/requests/${request_id}`;
    const status = await viaProxy("GET", `${target}/status?logs=1`, { path });
    expect(await status.json()).toMatchObject({ request_id, logs: expect.anything() });
    expect((await viaProxy("PUT", `${target}/cancel`, { path })).status).toBeOneOf([202, 400]);
  });

  test("query parameters of the target count, those of the route don't", async () => {
    const response = await gateway.ask("GET", "/fal/proxy?prompt=outer", {
      headers: { "x-fal-target-url": "https://fal.run/forecourt/echo?prompt=inner" },
    });
    expect(await response.json()).toMatchObject({ prompt: "inner" });
  });

  test.each([undefined, "", "not a url", "/relative"])("a target like %p is a bad request", async (target) => {
    const response = await viaProxy("POST", target);
    expect(response.status).toBe(400);
    expect((await response.json()).detail).toContain("x-fal-target-url");
  });

  test.each([
    "https://auth.fal.ai/oauth/token",
    "https://example.org/forecourt/echo",
    "http://169.254.169.254/latest/meta-data",
    "https://fal.run.example.org/forecourt/echo",
    "https://user@evil.example/#fal.run",
  ])("%s is not served and never fetched", async (target) => {
    const response = await viaProxy("POST", target);
    expect(response.status).toBe(404);
    expect((await response.json()).detail).toContain("queue.fal.run");
  });
});

describe("fal's own host names", () => {
  test("fal.run runs at its root", async () => {
    const response = await gateway.ask("POST", "https://fal.run/forecourt/echo", { body: { prompt: "dns" } });
    expect(await response.json()).toEqual({ prompt: "dns", steps: 1 });
    expect(response.headers.get("x-fal-request-id")).not.toBeNull();
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
  });

  test("queue.fal.run queues at its root, and its URLs stay there", async () => {
    const response = await gateway.ask("POST", "https://queue.fal.run/fal-ai/echo/fast", { body: { prompt: "dns" } });
    const { request_id, response_url, status_url } = await response.json();
    expect(response_url).toBe(`https://queue.fal.run/fal-ai/echo/requests/${request_id}`);
    expect((await gateway.ask("GET", status_url)).status).toBeOneOf([200, 202]);
  });

  test("errors there have fal's shape", async () => {
    const response = await gateway.ask("POST", "https://fal.run/forecourt/nothing", { body: {} });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      detail: expect.stringContaining('Application "nothing" not found. This box has no model '),
    });
  });

  test("files are found under every host name", async () => {
    const token = gateway.saveFile("a.txt", "hello");
    const response = await gateway.ask("GET", `https://queue.fal.run/files/${token}/a.txt`, { key: "" });
    expect(await response.text()).toBe("hello");
  });
});
