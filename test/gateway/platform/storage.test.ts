// Rules of uploaded files and signed URLs by the platform API.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { proved } from "../../support/conformance.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
let url: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  const uploaded = await gateway.ask("POST", "/cdn/files/upload", { body: "content" });
  url = (await uploaded.json()).access_url;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const at = (call: string, file = url) => `/platform/v1/storage/files/${call}?url=${encodeURIComponent(file)}`;
const statusFor = async (key: string) => (await gateway.ask("GET", url, { key })).status;

test("the owner reads and sets who may read; it counts at once", async () => {
  const reader = gateway.keys.create({ name: "reader", scope: "api" }).secret;
  const stranger = gateway.keys.create({ name: "stranger", scope: "api" }).secret;
  const before = await gateway.ask("GET", at("acl"));
  expect(await before.json()).toEqual({ default: "allow", rules: [] });
  const acl = { default: "hide", rules: [{ user: "reader", decision: "allow" }] };
  const set = await gateway.ask("PUT", at("acl"), { body: acl });
  expect({ status: set.status, body: await set.json() }).toEqual({ status: 200, body: acl });
  expect(await (await gateway.ask("GET", at("acl"))).json()).toEqual(acl);
  expect([await statusFor(gateway.apiKey), await statusFor(reader), await statusFor(stranger)]).toEqual([
    200, 200, 404,
  ]);
  expect(await statusFor("")).toBe(404);
});

test("a signed URL reads the file whatever its rules say", async () => {
  const answer = await gateway.ask("POST", at("sign"), { body: { expiration_seconds: 60 } });
  const { signed_url } = await answer.json();
  expect(await (await gateway.ask("GET", signed_url, { key: "" })).text()).toBe("content");
  const byAdmin = await gateway.ask("POST", at("sign"), { key: gateway.adminKey, body: {} });
  expect(byAdmin.status).toBe(200);
  proved("http", "signed-url");
});

test("nobody else may, and what is no file of this box is not found", async () => {
  const other = gateway.keys.create({ name: "other", scope: "api" }).secret;
  for (const call of [
    gateway.ask("GET", at("acl"), { key: other }),
    gateway.ask("PUT", at("acl"), { key: other, body: { default: "allow" } }),
    gateway.ask("POST", at("sign"), { key: other, body: {} }),
    gateway.ask("GET", at("acl", "https://example.org/a.png")),
    gateway.ask("GET", at("acl", "no url")),
  ])
    expect((await call).status).toBe(404);
  expect((await gateway.ask("GET", at("acl"), { key: "" })).status).toBe(401);
});

test.each([
  ["PUT", "acl", { default: "maybe" }],
  ["PUT", "acl", {}],
  ["POST", "sign", { expiration_seconds: 0 }],
  ["POST", "sign", { expiration_seconds: 604_801 }],
])("%s %s with %j is a 400 in the platform's shape", async (method, call, body) => {
  const answer = await gateway.ask(method, at(call), { body });
  expect(answer.status).toBe(400);
  expect((await answer.json()).error.type).toBe("validation_error");
});
