// What fal's request headers ask for beside the input: kept with the job, obeyed to its end and after.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { asId, type JobId } from "../../../src/core/ids.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
  gateway.holdRuns();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const PATH = "/queue/forecourt/echo";
const submit = async (headers: Record<string, string>) => {
  const response = await gateway.ask("POST", PATH, { body: { prompt: "hi" }, headers });
  return { response, ticket: await response.json() };
};
const jobOf = (ticket: { request_id: string }) => gateway.jobs.find(asId<JobId>(ticket.request_id));
const result = (ticket: { request_id: string }) => gateway.ask("GET", `${PATH}/requests/${ticket.request_id}`);
const finished = async (ticket: { request_id: string }) => {
  for await (const _ of gateway.jobs.watch(asId<JobId>(ticket.request_id), AbortSignal.timeout(60_000)));
};

describe("a request's headers", () => {
  test("tags, hint and retries are kept with the job", async () => {
    const { ticket } = await submit({
      "x-fal-tags": "team=vision, project.a=x=y,",
      "x-fal-runner-hint": "cat-7",
      "x-fal-retry-config": '{"server_error":{"retries":2},"timeout":{"retries":1}}',
    });
    expect(jobOf(ticket)).toMatchObject({
      tags: { team: "vision", "project.a": "x=y" },
      wishes: { hint: "cat-7", retries: { server_error: 2, timeout: 1 } },
    });
    (await gateway.nextRun()).finish({});
    await finished(ticket);
  });

  test("the answer says which runner it was served from", async () => {
    const answer = gateway.ask("POST", "/run/forecourt/echo", { body: { prompt: "hi" } });
    (await gateway.nextRun()).finish({});
    expect((await answer).headers.get("x-fal-served-from")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("X-Fal-No-Retry leaves nothing of X-Fal-Retry-Config", async () => {
    const { ticket } = await submit({ "x-fal-no-retry": "1", "x-fal-retry-config": '{"timeout":{"retries":1}}' });
    expect(jobOf(ticket)).toMatchObject({ retries: 0, wishes: {} });
    (await gateway.nextRun()).finish({});
    await finished(ticket);
  });

  test.each([
    ["x-fal-tags", "team"],
    ["x-fal-tags", "Team=a"],
    ["x-fal-tags", "fal.team=a"],
    ["x-fal-tags", "a=1,a=2"],
    ["x-fal-tags", Array.from({ length: 11 }, (_, i) => `t${i}=x`).join(",")],
    ["x-fal-tags", `a=${"x".repeat(257)}`],
    ["x-fal-tags", `${"n".repeat(65)}=x`],
    ["x-fal-runner-hint", "h".repeat(257)],
    ["x-fal-retry-config", "twice"],
    ["x-fal-retry-config", '{"timeout":{"retries":-1}}'],
    ["x-fal-object-lifecycle-preference", "{"],
    ["x-fal-object-lifecycle-preference", '{"expiration_duration_seconds":0}'],
  ])("%s: %s is a bad request", async (name, value) => {
    const { response, ticket } = await submit({ [name]: value });
    expect(response.status).toBe(400);
    expect(ticket).toMatchObject({ error_type: "bad_request", detail: expect.any(String) });
  });

  test("a wish for retries runs the job again after the model's own error", async () => {
    const { ticket } = await submit({ "x-fal-retry-config": '{"server_error":{"retries":1}}' });
    (await gateway.nextRun()).fail({ code: "runner_failed", message: "The graph refused." });
    (await gateway.nextRun()).finish({ prompt: "second time" });
    await finished(ticket);
    expect(await (await result(ticket)).json()).toEqual({ prompt: "second time" });
    expect(jobOf(ticket)?.attempts).toBe(2);
  });
});

describe("output files with X-Fal-Object-Lifecycle-Preference", () => {
  const outcome = async (preference: object) => {
    const { ticket } = await submit({ "x-fal-object-lifecycle-preference": JSON.stringify(preference) });
    const run = await gateway.nextRun();
    run.finish({ images: [{ url: run.save("image.png", "pixels") }] });
    await finished(ticket);
    const { images } = await (await result(ticket)).json();
    return new URL(images[0].url).pathname;
  };

  test("are hidden from all but their owner and admins", async () => {
    const path = await outcome({ initial_acl: { default: "hide", rules: [] } });
    expect((await gateway.ask("GET", path, { key: "" })).status).toBe(404);
    const own = await gateway.ask("GET", path);
    expect([own.status, own.headers.get("cache-control")]).toEqual([200, "private, no-store"]);
    expect((await gateway.ask("GET", path, { key: gateway.adminKey })).status).toBe(200);
    expect((await gateway.ask("GET", `/cdn${path}`, { key: "" })).status).toBe(404);
  });

  test("are forbidden to strangers, and open to the keys that a rule names", async () => {
    const friend = gateway.keys.create({ name: "friend", scope: "api" });
    const rules = [{ user: "friend", decision: "allow" }];
    const path = await outcome({ initial_acl: { default: "forbid", rules } });
    expect((await gateway.ask("GET", path, { key: "" })).status).toBe(403);
    expect((await gateway.ask("GET", path, { key: friend.secret })).status).toBe(200);
  });

  test("are cached no longer than they live", async () => {
    const path = await outcome({ expiration_duration_seconds: 100 });
    const response = await gateway.ask("GET", path, { key: "" });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toMatch(/max-age=(99|100),/);
  });

  test("a lifetime of null is for ever", async () => {
    const path = await outcome({ expiration_duration_seconds: null });
    expect((await gateway.ask("GET", path, { key: "" })).headers.get("cache-control")).toContain("immutable");
  });
});
