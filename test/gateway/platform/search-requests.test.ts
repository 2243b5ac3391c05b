import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway({}, ["other/echo"]);
  const prompts = ["a red circle on blue", "a green square", "a red square on a white ground"];
  for (const prompt of prompts) await gateway.ask("POST", "/run/forecourt/echo", { body: { prompt } });
  await gateway.ask("POST", "/run/other/echo", { body: { prompt: "nothing of the kind" } });
  await gateway.ask("POST", "/queue/forecourt/echo", { body: { prompt: 5 } });
  const secret = { "x-fal-store-io": "0" };
  await gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "a secret circle" }, headers: secret });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const search = async (query: string, key = gateway.apiKey) => {
  const response = await gateway.ask("GET", `/platform/v1/models/requests/search?${query}`, { key });
  return { status: response.status, body: await response.json() };
};
const prompts = ({ body }: { body: { results: { json_input: { prompt: string } }[] } }) =>
  body.results.map(({ json_input }) => json_input?.prompt);

test("words find the inputs that have them, the most similar first", async () => {
  const found = await search("query=Red+square&expand=payloads");
  expect(prompts(found)).toEqual(["a red square on a white ground", "a green square", "a red circle on blue"]);
  const { results } = found.body;
  expect(results[0]).toMatchObject({ endpoint_id: "forecourt/echo", status_code: 200 });
  expect(results[0].similarity).toBeCloseTo(2 / Math.sqrt(2 * 6), 5);
  const near = await search("query=red+square&min_similarity=0.4&expand=payloads");
  expect(prompts(near)).toHaveLength(2);
});

test("without words the filters alone choose, page by page, the latest first", async () => {
  const all = await search("limit=100");
  expect(all.body.results).toHaveLength(6);
  expect(all.body.results[0].similarity).toBeUndefined();
  const first = await search("limit=4");
  const second = await search(`limit=4&cursor=${first.body.next_cursor}`);
  expect([...first.body.results, ...second.body.results]).toEqual(all.body.results);
  expect(second.body).toMatchObject({ has_more: false, next_cursor: null });
  expect((await search("endpoint_id=other/echo")).body.results).toHaveLength(1);
  expect((await search("status=user_error")).body.results).toMatchObject([{ status_code: 422 }]);
  expect((await search("exclude_api_requests=true")).body.results).toEqual([]);
});

test("what was not to be kept is neither found by its words nor shown", async () => {
  expect((await search("query=secret")).body.results).toEqual([]);
});

test("other keys find nothing of it, an admin everything", async () => {
  const { secret } = gateway.keys.create({ name: "other", scope: "api" });
  expect((await search("query=red", secret)).body.results).toEqual([]);
  expect((await search("query=red", gateway.adminKey)).body.results).toHaveLength(2);
});

test("pictures and videos are not searched by, and say so", async () => {
  const { status, body } = await search("image_url=https://example.org/a.png");
  expect([status, body.error.type]).toEqual([400, "validation_error"]);
  expect(body.error.message).toContain("words");
});

test("a page with payloads is as long as fits into memory, and leads on to what follows", async () => {
  await using box = await createTestGateway({}, ["other/echo"]);
  const words = "long ".repeat(199_000);
  const ids: string[] = [];
  for (let at = 0; at < 20; at++) {
    const run = await box.ask("POST", "/run/other/echo", { body: { prompt: `${words}${at}` } });
    ids.unshift(run.headers.get("x-fal-request-id") ?? "");
    await run.arrayBuffer();
  }
  for (const path of ["by-endpoint?endpoint_id=other/echo", "search?query=long+time"]) {
    const pages: { request_id: string; json_input: { prompt: string } }[][] = [];
    for (let cursor = ""; ; ) {
      const answer = await box.ask("GET", `/platform/v1/models/requests/${path}&expand=payloads${cursor}`);
      const { items, results, next_cursor } = await answer.json();
      pages.push(items ?? results);
      if (next_cursor === null) break;
      cursor = `&cursor=${next_cursor}`;
    }
    expect(pages.map(({ length }) => length)).toEqual([8, 8, 4]);
    expect(pages.flat().map(({ request_id }) => request_id)).toEqual(ids);
    expect(pages.flat().every(({ json_input }) => json_input.prompt.startsWith("long "))).toBe(true);
  }
  const without = await box.ask("GET", "/platform/v1/models/requests/by-endpoint?endpoint_id=other/echo");
  const { items } = await without.json();
  expect(items).toHaveLength(20);
  expect(items[0]).not.toHaveProperty("json_input");
});
