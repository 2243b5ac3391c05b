import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = {}) => gateway.ask("GET", path, { key: "", headers });
const json = async (path: string, headers: Record<string, string> = {}) => await (await get(path, headers)).json();

/** Every value under a key, however deep. */
function valuesOf(node: unknown, key: string): unknown[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => [...(name === key ? [value] : []), ...valuesOf(value, key)]);
}

/** The part of a document that a local reference names. */
const resolve = (document: unknown, ref: string) =>
  ref
    .replace("#/", "")
    .split("/")
    .reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], document);

describe("the Swagger page", () => {
  test("is where someone arrives who knows the address alone", async () => {
    const response = await get("/");
    expect([response.status, response.headers.get("location")]).toEqual([302, "swagger"]);
  });

  test("takes everything from this box and forbids all else", async () => {
    const response = await get("/swagger");
    const html = await response.text();
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(html).not.toMatch(/https?:|src="\/\//);
    const parts = [...html.matchAll(/(?:src|href)="(\/swagger\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
    expect(parts).toHaveLength(4);
    for (const part of parts) {
      const asset = await get(part);
      expect(`${part} ${asset.status}`).toBe(`${part} 200`);
      expect(asset.headers.get("content-type")).toMatch(/^text\/(css|javascript)/);
      expect((await asset.text()).length).toBeGreaterThan(500);
    }
  });

  test("asks no foreign validator and runs no inline script", async () => {
    const start = await (await get("/swagger/assets/start.js")).text();
    expect(start).toContain("validatorUrl: null");
    expect(await (await get("/swagger")).text()).not.toMatch(/<script>/);
  });

  test("has no other assets", async () => {
    for (const name of ["package.json", "..%2f..%2fpackage.json", "none"])
      expect((await get(`/swagger/assets/${name}`)).status).toBe(404);
  });
});

describe("the document of the box", () => {
  test("describes every model's operations with its own schemas, examples and the key", async () => {
    const document = await json("/swagger/json");
    expect(document.servers).toEqual([{ url: "/", description: "This box" }]);
    expect(document.security).toEqual([{ apiKeyAuth: [] }]);
    expect(document.components.securitySchemes.apiKeyAuth).toMatchObject({
      type: "apiKey",
      in: "header",
      name: "Authorization",
    });
    const run = document.paths["/run/forecourt/echo"].post;
    expect(run.requestBody.content["application/json"]).toEqual({
      schema: { $ref: "#/components/schemas/ForecourtEchoInput" },
      examples: { "Example 1": { value: { prompt: "a red circle", steps: 2 } } },
    });
    expect(document.components.schemas.ForecourtEchoInput).toMatchObject({
      type: "object",
      required: ["prompt"],
      properties: { steps: { type: "integer", default: 1, minimum: 1, maximum: 1000 } },
      "x-fal-order-properties": ["prompt", "steps", "step_ms"],
    });
    const output = run.responses[200].content["application/json"].schema;
    expect(resolve(document, output.$ref)).toMatchObject({ properties: { prompt: { type: "string" } } });
    const ofRequest = "/queue/forecourt/echo/requests/{request_id}";
    const methods = (path: string) => Object.keys(document.paths[path] ?? {});
    expect(methods("/queue/forecourt/echo")).toEqual(["post"]);
    expect(methods(ofRequest)).toEqual(["get"]);
    expect(methods(`${ofRequest}/status`)).toEqual(["get"]);
    expect(methods(`${ofRequest}/cancel`)).toEqual(["put"]);
    expect(methods("/admin/v1/keys")).toEqual(["get", "post"]);
    expect(document.paths["/health"].get.security).toEqual([]);
  });

  test("has no dangling reference, no operation id twice and nothing that OpenAPI 3.0 does not know", async () => {
    const document = await json("/swagger/json");
    const refs = valuesOf(document, "$ref");
    expect(refs.length).toBeGreaterThan(5);
    for (const ref of refs) expect(resolve(document, String(ref)), String(ref)).toBeObject();
    const ids = valuesOf(document.paths, "operationId");
    expect(new Set(ids).size).toBe(ids.length);
    for (const word of ["const", "patternProperties", "media"]) expect(valuesOf(document, word)).toEqual([]);
    for (const bound of valuesOf(document, "exclusiveMinimum")) expect(bound).toBeBoolean();
  });

  test("has every face; what stands behind a wildcard by its operations", async () => {
    const described = Object.keys((await json("/swagger/json")).paths);
    const beginnings = gateway.app.routes.map(({ path }) => path.replace(/[:*].*/, ""));
    const missing = beginnings.filter((beginning) => !described.some((path) => path.startsWith(beginning)));
    // Pages, and second names of what is in it.
    const others = ["/swagger", "/swagger/json", "/swagger/assets/", "/llms.txt", "/api/openapi/queue/openapi.json"];
    expect(missing.sort()).toEqual([...others, "/api/fal/proxy", "/rest/.well-known/jwks.json"].sort());
  });

  test("its example runs as it is", async () => {
    const document = await json("/swagger/json");
    const body =
      document.paths["/run/forecourt/echo"].post.requestBody.content["application/json"].examples["Example 1"].value;
    const response = await gateway.ask("POST", "/run/forecourt/echo", { body });
    expect(await response.json()).toEqual({ prompt: "a red circle", steps: 2 });
  });
});

describe("one model's document", () => {
  test("has fal's form, under the id that was asked for and on the caller's origin", async () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "box.example" };
    const document = await json("/models/fal-ai/echo/fast/openapi.json", headers);
    expect(document.openapi).toBe("3.0.4");
    expect(document.info["x-fal-metadata"]).toMatchObject({ endpointId: "fal-ai/echo/fast", category: "text-to-text" });
    expect(document.servers).toEqual([{ url: "https://box.example/queue" }]);
    const ofRequest = "/fal-ai/echo/fast/requests/{request_id}";
    expect(Object.keys(document.paths).sort()).toEqual(
      ["/fal-ai/echo/fast", ofRequest, `${ofRequest}/cancel`, `${ofRequest}/status`].sort(),
    );
    expect(Object.keys(document.components.schemas)).toEqual(["QueueStatus", "EchoFastInput", "EchoFastOutput"]);
    expect(document.components.schemas.QueueStatus.required).toEqual(["status", "request_id"]);
    expect(document.components.schemas.EchoFastInput["x-fal-order-properties"]).toEqual(["prompt", "steps", "step_ms"]);
    for (const ref of valuesOf(document, "$ref")) expect(resolve(document, String(ref)), String(ref)).toBeObject();
  });

  test("exists for the model's own id too", async () => {
    const document = await json("/models/forecourt/echo/openapi.json");
    expect(Object.keys(document.components.schemas)).toContain("ForecourtEchoInput");
  });

  test("llms.txt says what it takes, gives and costs, and how to call it", async () => {
    const response = await get("/models/forecourt/echo/llms.txt");
    expect(response.headers.get("content-type")).toContain("text/markdown");
    const text = await response.text();
    for (const part of [
      "# Echo",
      "`prompt`",
      "Range: `1 to 1000`",
      "0.5 USD per image",
      "curl http://localhost/run/forecourt/echo",
      "ws://localhost/run/forecourt/echo/realtime",
    ])
      expect(text).toContain(part);
  });

  test("the list and single models are plain JSON; unknown ones a 404", async () => {
    expect((await json("/models")).models).toMatchObject([
      { endpoint_id: "forecourt/echo", aliases: ["fal-ai/echo/fast"] },
    ]);
    expect(await json("/models/forecourt/echo")).toMatchObject({
      endpoint_id: "forecourt/echo",
      input: { type: "object" },
    });
    for (const path of ["/models/some/other", "/models/some/other/openapi.json", `/models/${"a/".repeat(5000)}`])
      expect((await get(path)).status).toBe(404);
  });
});

test("a model's document is where fal's tools look for it too, and null there for no model", async () => {
  const at = (id: string) => gateway.ask("GET", `/api/openapi/queue/openapi.json?endpoint_id=${id}`, { key: "" });
  const own = await gateway.ask("GET", "/models/fal-ai/echo/fast/openapi.json", { key: "" });
  expect(await (await at("fal-ai/echo/fast")).json()).toEqual(await own.json());
  const unknown = await at("no/model");
  expect([unknown.status, await unknown.json()]).toEqual([404, null]);
});

test("llms.txt lists the models and their pages", async () => {
  const response = await gateway.ask("GET", "/llms.txt", { key: "" });
  expect(response.headers.get("content-type")).toContain("markdown");
  expect(await response.text()).toContain("(http://localhost/models/forecourt/echo/llms.txt)");
});
