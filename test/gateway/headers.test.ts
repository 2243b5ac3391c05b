// What every answer tells browsers: guess no types, run nothing, show it in no frame.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

test("answers, refusals and files of every face forbid guessing, scripts and frames", async () => {
  const token = gateway.saveFile("page.html", "<script>alert(1)</script>");
  const visits = [
    gateway.ask("GET", "/health"),
    gateway.ask("GET", "/models"),
    gateway.ask("GET", "/nothing/here"),
    gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } }),
    gateway.ask("POST", "/run/forecourt/echo", { key: "" }),
    gateway.ask("GET", "/admin/v1/keys", { key: gateway.adminKey }),
    gateway.ask("GET", "/metrics", { key: gateway.adminKey }),
    gateway.ask("GET", `/files/${token}/page.html`),
    gateway.ask("GET", "/swagger"),
    gateway.ask("GET", "/swagger/json"),
  ];
  for (const { url, headers } of await Promise.all(visits)) {
    expect([url, headers.get("x-content-type-options")]).toEqual([url, "nosniff"]);
    expect([url, headers.get("referrer-policy")]).toEqual([url, "no-referrer"]);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  }
});

test("a page allows its own scripts alone, none inline, and no frames; an output that is a page stays bytes", async () => {
  const page = await gateway.ask("GET", "/swagger");
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  expect(await page.text()).not.toMatch(/<script(?![^>]*\bsrc=)/);
  const token = gateway.saveFile("page.html", "<script>alert(1)</script>");
  const file = await gateway.ask("GET", `/files/${token}/page.html`);
  expect(file.headers.get("content-type")).toBe("application/octet-stream");
  expect(file.headers.get("content-security-policy")).toContain("sandbox");
});
