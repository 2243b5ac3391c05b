// Limits, budgets and usage as callers and admins see them over HTTP.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

type Made = { id: string; key: string };
const make = async (body: Record<string, unknown>) =>
  (await (await gateway.ask("POST", "/admin/v1/keys", { key: gateway.adminKey, body })).json()) as Made;
const run = (key: string, face = "run") =>
  gateway.ask("POST", `/${face}/forecourt/echo`, { key, body: { prompt: "hi" } });

test("answers say what remains, a used up budget is fal's 403 on both faces, and admins see what was used", async () => {
  const { id, key } = await make({ name: "app", budgets: ["2 requests/day"], requests_per_minute: 10, team: "art" });
  const first = await run(key);
  expect(first.status).toBe(200);
  expect(first.headers.get("x-forecourt-budget-limit")).toBe("key 2 requests/day");
  expect(first.headers.get("x-forecourt-budget-remaining")).toBe("1 requests");
  expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("9");
  expect((await run(key, "queue")).status).toBe(200);
  for (const face of ["run", "queue"]) {
    const refused = await run(key, face);
    expect(refused.status).toBe(403);
    const { detail } = (await refused.json()) as { detail: string };
    expect(detail).toStartWith("User is locked. Reason: Exhausted balance. Of its 2 requests/day the key app");
  }
  const shown = await (await gateway.ask("GET", `/admin/v1/keys/${id}`, { key: gateway.adminKey })).json();
  expect(shown).toMatchObject({ team: "art", limits: { budgets: ["2 requests/day"] } });
  const usage = await gateway.ask("GET", "/admin/v1/usage?by=team", { key: gateway.adminKey });
  expect(await usage.json()).toMatchObject({ usage: [{ value: "art" }] });
});

test("too many requests in a minute are a 429 that says when to come again", async () => {
  const { key } = await make({ name: "fast", requests_per_minute: 1 });
  expect((await run(key)).status).toBe(200);
  const refused = await run(key);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeWithin(55, 61);
  expect(refused.headers.get("x-fal-needs-retry")).toBe("1");
});

test("a rotated key has two secrets for a while", async () => {
  const { id, key } = await make({ name: "rotated" });
  const rotated = await gateway.ask("POST", `/admin/v1/keys/${id}/rotate`, { key: gateway.adminKey, body: {} });
  const { key: other } = (await rotated.json()) as Made;
  for (const each of [key, other]) expect((await run(each)).status).toBe(200);
  expect(other).not.toBe(key);
});

test("limits of a team are set over HTTP and hold at once", async () => {
  const { key } = await make({ name: "team", team: "lab" });
  const set = await gateway.ask("PUT", "/admin/v1/limits/team/lab", {
    key: gateway.adminKey,
    body: { budgets: ["1 requests/day"] },
  });
  expect(await set.json()).toMatchObject({ kind: "team", id: "lab", limits: { budgets: ["1 requests/day"] } });
  expect([(await run(key)).status, (await run(key)).status]).toEqual([200, 403]);
});
