import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Ask, createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const MIB = 1024 * 1024;
type Case = { what: string; ask: Ask; method?: string; path?: string; status: number; problem?: object };

const cases: Case[] = [
  {
    what: "a number where a text belongs",
    ask: { body: { prompt: 3 } },
    status: 422,
    problem: { loc: ["body", "prompt"], type: "string_type" },
  },
  {
    what: "a list where a number belongs",
    ask: { body: { prompt: "a", steps: [] } },
    status: 422,
    problem: { loc: ["body", "steps"], type: "int_type" },
  },
  {
    what: "a number below its range",
    ask: { body: { prompt: "a", steps: 0 } },
    status: 422,
    problem: { loc: ["body", "steps"], type: "greater_than_equal", ctx: { ge: 1 } },
  },
  {
    what: "a number above its range",
    ask: { body: { prompt: "a", steps: 1e9 } },
    status: 422,
    problem: { loc: ["body", "steps"], type: "less_than_equal", ctx: { le: 1000 } },
  },
  {
    what: "a number beyond all numbers",
    ask: { body: '{"prompt":"a","steps":1e999}' },
    status: 422,
    problem: { loc: ["body", "steps"] },
  },
  {
    what: "a prompt of 10 MB",
    ask: { body: { prompt: "x".repeat(10 * MIB) } },
    status: 422,
    problem: { loc: ["body", "prompt"], type: "sequence_too_long", ctx: { max_length: 1_000_000 } },
  },
  {
    what: "NaN",
    ask: { body: '{"prompt":"a","steps":NaN}' },
    status: 422,
    problem: { loc: ["body"], type: "json_invalid" },
  },
  {
    what: "half a JSON document",
    ask: { body: '{"prompt":"a"' },
    status: 422,
    problem: { loc: ["body"], type: "json_invalid" },
  },
  {
    what: "bytes that are no text",
    ask: { body: "\u0000\ufffd\u0001" },
    status: 422,
    problem: { loc: ["body"], type: "json_invalid" },
  },
  { what: "a JSON list", ask: { body: "[1,2]" }, status: 422, problem: { loc: ["body"], type: "dict_type" } },
  { what: "a JSON text", ask: { body: '"prompt"' }, status: 422, problem: { loc: ["body"], type: "dict_type" } },
  { what: "JSON null", ask: { body: "null" }, status: 422, problem: { loc: ["body"], type: "dict_type" } },
  {
    what: "JSON a million levels deep",
    ask: { body: `{"prompt":${"[".repeat(1e6)}${"]".repeat(1e6)}}` },
    status: 422,
    problem: { loc: ["body"], type: "json_too_complex" },
  },
  { what: "a missing field", ask: { body: {} }, status: 422, problem: { loc: ["body", "prompt"], type: "missing" } },
  {
    what: "a body beyond the limit",
    ask: { body: "x".repeat(17 * MIB), headers: { "content-length": String(17 * MIB) } },
    status: 413,
  },
  { what: "an unknown model", ask: { body: {} }, path: "/run/forecourt/none", status: 404 },
  { what: "a wrong method", ask: {}, method: "DELETE", status: 405 },
  { what: "no key", ask: { key: "", body: {} }, status: 401 },
];

describe("bad input to a sync run", () => {
  test.each(cases)(
    "$what is a $status",
    async ({ ask, method = "POST", path = "/run/forecourt/echo", status, problem }) => {
      const response = await gateway.ask(method, path, ask);
      expect(response.status).toBe(status);
      const text = await response.text();
      const { detail } = JSON.parse(text);
      if (problem) expect(detail).toContainEqual(expect.objectContaining(problem));
      else expect(detail).toEqual(expect.any(String));
      expect(text.length).toBeLessThan(2_000);
      expect(response.headers.get("x-fal-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test("fields beyond the schema and a __proto__ are dropped", async () => {
    const body = '{"prompt":"a","__proto__":{"admin":true},"constructor":1,"extra":{"deep":[1]}}';
    const response = await gateway.ask("POST", "/run/forecourt/echo", { body });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ prompt: "a", steps: 1 });
  });

  test("null in an optional field means its default", async () => {
    const response = await gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "a", steps: null } });
    expect(await response.json()).toEqual({ prompt: "a", steps: 1 });
  });

  test("odd texts come back as they went in", async () => {
    const prompt = "a\u0000b \u{1F600} \ud800 水 \u202e forecourt-file:../../etc/passwd";
    const response = await gateway.ask("POST", "/run/forecourt/echo", { body: { prompt } });
    expect((await response.json()).prompt).toBe(prompt);
  });

  test("the queue accepts what it can read and shows the 422 at the result", async () => {
    const readable = cases.filter(
      ({ status, problem }) => status === 422 && !JSON.stringify(problem).includes("json_"),
    );
    expect(readable.length).toBeGreaterThan(5);
    for (const { what, ask, problem } of readable) {
      const submitted = await gateway.ask("POST", "/queue/forecourt/echo", ask);
      expect(`${what} ${submitted.status}`).toBe(`${what} 200`);
      const result = await gateway.ask("GET", new URL((await submitted.json()).response_url).pathname);
      expect(`${what} ${result.status}`).toBe(`${what} 422`);
      expect((await result.json()).detail).toContainEqual(expect.objectContaining(problem ?? {}));
    }
  });

  test("nothing of it waits, lies on the disk or was logged as trouble", () => {
    expect(gateway.jobs.open()).toEqual([]);
    const files = join(gateway.data, "files");
    expect(existsSync(files) ? readdirSync(files) : []).toEqual([]);
    expect(gateway.logged.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });
});

test.each([
  ["[]", {}],
  ["{", {}],
  ["null", {}],
  ["no form", { "content-type": "multipart/form-data" }],
])(
  "a body that is wrong as a whole is named to OpenAI's clients: %s",
  async (body, headers: Record<string, string>) => {
    const path = "content-type" in headers ? "/v1/images/edits" : "/v1/chat/completions";
    const response = await gateway.ask("POST", path, { body, headers });
    expect(response.status).toBe(400);
    expect((await response.json()).error).toMatchObject({ type: "invalid_request_error", param: "body" });
  },
);

test.each(["run", "queue", "rest", "v1", "platform", "cdn", "files", "models", "admin/v1/models", "fal/proxy"])(
  "a star in the path of %s is a name like others, also with a slash behind it",
  async (face) => {
    for (const path of [`/${face}/*/`, `/${face}/*`, `/${face}/*/?x=*/`])
      for (const method of ["GET", "POST", "HEAD"])
        for (const key of [gateway.adminKey, ""]) {
          const { status } = await gateway.ask(method, path, { key });
          expect([method, path, [400, 401, 404, 405].includes(status) || status]).toEqual([method, path, true]);
        }
    expect(gateway.logged.filter(({ level }) => level === "error")).toEqual([]);
  },
);
