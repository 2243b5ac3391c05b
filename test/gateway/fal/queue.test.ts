import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { asId, type JobId } from "../../../src/core/ids.ts";
import type { HeldRun } from "../../support/held-runs.ts";
import { type Ask, createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
  gateway.holdRuns();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const submit = async (ask: Ask = {}, path = "/queue/fal-ai/echo/fast") => {
  const response = await gateway.ask("POST", path, { body: { prompt: "hi" }, ...ask });
  return { response, ticket: await response.json() };
};
const below = (ticket: { request_id: string }, rest = "") => `/queue/fal-ai/echo/requests/${ticket.request_id}${rest}`;
const started = async (ask: Ask = {}): Promise<{ ticket: { request_id: string }; run: HeldRun }> => {
  const { ticket } = await submit(ask);
  return { ticket, run: await gateway.nextRun() };
};
const finished = async (ticket: { request_id: string }) => {
  for await (const event of gateway.jobs.watch(asId<JobId>(ticket.request_id), AbortSignal.timeout(60_000)))
    if (event.type === "finished") return event.job;
  throw new Error("the request did not finish");
};

describe("submit", () => {
  test("answers with a ticket whose URLs lead to the app on the caller's own origin", async () => {
    const { response, ticket } = await submit({
      headers: { "x-forwarded-proto": "https", "x-forwarded-host": "box.example" },
    });
    const url = `https://box.example/queue/fal-ai/echo/requests/${ticket.request_id}`;
    expect(response.status).toBe(200);
    expect(ticket).toEqual({
      status: "IN_QUEUE",
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      gateway_request_id: ticket.request_id,
      queue_position: 0,
      response_url: url,
      status_url: `${url}/status`,
      cancel_url: `${url}/cancel`,
    });
    expect(response.headers.get("x-fal-request-id")).toBe(ticket.request_id);
    (await gateway.nextRun()).finish({});
    await finished(ticket);
  });

  test("accepts a wrong input, whose 422 shows at the result", async () => {
    const { response, ticket } = await submit({ body: { steps: "many" } });
    expect(response.status).toBe(200);
    expect(ticket.status).toBe("IN_QUEUE");
    const status = await gateway.ask("GET", below(ticket, "/status"));
    expect(status.status).toBe(200);
    expect(await status.json()).toMatchObject({ status: "COMPLETED", error_type: "invalid_input" });
    const result = await gateway.ask("GET", below(ticket));
    expect(result.status).toBe(422);
    expect(result.headers.get("x-fal-request-id")).toBe(ticket.request_id);
    const fields = (await result.json()).detail.map(({ loc }: { loc: unknown[] }) => loc.at(-1));
    expect(fields.sort()).toEqual(["prompt", "steps"]);
  });

  test("passes on priority, start timeout and retries", async () => {
    const headers = { "x-fal-queue-priority": "low", "x-fal-request-timeout": "30.5", "x-fal-no-retry": "yes" };
    const { ticket, run } = await started({ headers });
    const job = gateway.jobs.find(asId<JobId>(ticket.request_id));
    expect(job).toMatchObject({ priority: "low", retries: 0, endpoint: "fal-ai/echo/fast" });
    expect((job?.startBy ?? 0) - (job?.createdAt ?? 0)).toBe(30_500);
    run.finish({});
    await finished(ticket);
  });

  test.each([
    ["x-fal-request-timeout", "soon"],
    ["x-fal-request-timeout", "0.05"],
    ["x-fal-request-timeout", "Infinity"],
    ["x-fal-queue-priority", "urgent"],
  ])("refuses the header %s: %s as a bad request", async (name, value) => {
    const { response, ticket } = await submit({ headers: { [name]: value } });
    expect(response.status).toBe(400);
    expect(ticket).toMatchObject({ error_type: "bad_request" });
    expect(ticket.detail.toLowerCase()).toContain(name);
  });

  test("refuses when more wait than fal_max_queue_length", async () => {
    const { ticket, run } = await started();
    const { ticket: waiting } = await submit();
    const path = "/queue/forecourt/echo?fal_max_queue_length=0";
    const { response, ticket: refusal } = await submit({}, path);
    expect(response.status).toBe(429);
    expect(response.headers.get("x-fal-needs-retry")).toBe("1");
    expect(refusal.error_type).toBe("concurrent_requests_limit");
    await gateway.ask("PUT", below(waiting, "/cancel"));
    run.finish({});
    await finished(ticket);
    expect((await submit({}, "/queue/forecourt/echo?fal_max_queue_length=many")).response.status).toBe(400);
  });

  test("a GET explains itself", async () => {
    const response = await gateway.ask("GET", "/queue/forecourt/echo");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
    expect((await response.json()).detail).toContain("POST");
  });

  test("an unknown model is a 404", async () => {
    expect((await submit({}, "/queue/some-owner/some-app")).ticket).toEqual({
      detail: expect.stringContaining('Application "some-app" not found. This box has no model '),
    });
    expect((await submit({}, "/queue/forecourt/echo/nothing")).response.status).toBe(404);
  });
});

describe("a request's life", () => {
  test("queued, in progress and completed have fal's statuses, HTTP codes and keys", async () => {
    const first = await started();
    const { ticket: second } = await submit();
    const queued = await gateway.ask("GET", below(second, "/status"));
    expect(queued.status).toBe(202);
    expect(await queued.json()).toMatchObject({ status: "IN_QUEUE", queue_position: 0, request_id: second.request_id });

    const running = await gateway.ask("GET", below(first.ticket, "/status"));
    expect(running.status).toBe(202);
    const body = await running.json();
    expect(body).toMatchObject({ status: "IN_PROGRESS", logs: null });
    expect(body.response_url).toContain(first.ticket.request_id);

    first.run.log("drawing");
    first.run.finish({ prompt: "a", steps: 1 });
    await finished(first.ticket);
    const completed = await gateway.ask("GET", below(first.ticket, "/status?logs=true"));
    expect(completed.status).toBe(200);
    expect(await completed.json()).toMatchObject({
      status: "COMPLETED",
      metrics: { inference_time: expect.any(Number) },
      logs: [
        {
          message: "drawing",
          level: "INFO",
          source: "USER",
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        },
      ],
    });
    (await gateway.nextRun()).finish({});
    await finished(second);
  });

  test("logs come when asked for by 1 or true, and not by 0 or false", async () => {
    const { ticket, run } = await started();
    run.finish({});
    await finished(ticket);
    const logs = async (query: string) =>
      (await (await gateway.ask("GET", below(ticket, `/status${query}`))).json()).logs;
    expect(await logs("?logs=1")).toEqual([]);
    expect(await logs("?logs=true")).toEqual([]);
    expect(await logs("?logs=0")).toBeNull();
    expect(await logs("?logs=false")).toBeNull();
    expect(await logs("")).toBeNull();
  });

  test("the result is refused while it is in progress and then the bare output, at every form of its URL", async () => {
    const { ticket, run } = await started();
    const early = await gateway.ask("GET", below(ticket));
    expect(early.status).toBe(400);
    expect(await early.json()).toEqual({ detail: "Request is still in progress" });
    const url = run.save("image_0.png", "not a picture");
    run.finish({ images: [{ url }] });
    const { files } = await finished(ticket);
    const id = ticket.request_id;
    for (const path of [
      `/queue/fal-ai/echo/requests/${id}`,
      `/queue/fal-ai/echo/requests/${id}/`,
      `/queue/fal-ai/echo/requests/${id}/response`,
      `/queue/fal-ai/echo/fast/requests/${id}`,
      `/queue/forecourt/echo/requests/${id}/response/`,
    ]) {
      const response = await gateway.ask("GET", path);
      expect(`${path} ${response.status}`).toBe(`${path} 200`);
      expect(await response.json()).toEqual({ images: [{ url: `http://localhost/files/${files}/image_0.png` }] });
      expect(response.headers.get("x-fal-request-id")).toBe(id);
      expect(response.headers.get("x-fal-billable-units")).toBe("2");
      expect(response.headers.get("x-forecourt-device")).toBe("cpu");
    }
  });

  test("a failed request is completed, says why, and its result has the failure's own status", async () => {
    const { ticket, run } = await started();
    run.fail({ code: "run_timeout", message: "It took longer than 600 s." });
    await finished(ticket);
    const status = await (await gateway.ask("GET", below(ticket, "/status"))).json();
    expect(status).toMatchObject({
      status: "COMPLETED",
      error: "It took longer than 600 s.",
      error_type: "request_timeout",
      logs: null,
      metrics: { inference_time: null },
    });
    const result = await gateway.ask("GET", below(ticket));
    expect(result.status).toBe(504);
    expect(await result.json()).toEqual({ detail: "It took longer than 600 s.", error_type: "request_timeout" });
    expect(result.headers.get("x-fal-error-type")).toBe("request_timeout");
  });
});

describe("cancel", () => {
  test("ends a waiting request; its result is 499 and a second cancel comes too late", async () => {
    const { ticket: running, run } = await started();
    const { ticket } = await submit();
    const response = await gateway.ask("PUT", below(ticket, "/cancel"));
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ status: "CANCELLATION_REQUESTED" });
    const result = await gateway.ask("GET", below(ticket));
    expect(result.status).toBe(499);
    expect(await result.json()).toMatchObject({ error_type: "client_cancelled" });
    expect(await (await gateway.ask("GET", below(ticket, "/status"))).json()).toMatchObject({
      status: "COMPLETED",
      error_type: "client_cancelled",
    });
    const again = await gateway.ask("PUT", below(ticket, "/cancel"));
    expect(again.status).toBe(400);
    expect(await again.json()).toEqual({ status: "ALREADY_COMPLETED" });
    run.finish({});
    await finished(running);
  });

  test("ends a running request", async () => {
    const { ticket } = await started();
    expect((await gateway.ask("PUT", below(ticket, "/cancel"))).status).toBe(202);
    expect((await finished(ticket)).status).toBe("cancelled");
  });
});

describe("what is not there", () => {
  const operations = [
    ["GET", ""],
    ["GET", "/response"],
    ["GET", "/status"],
    ["GET", "/status/stream"],
    ["PUT", "/cancel"],
  ] as const;

  test.each(operations)("%s .../requests/<unknown>%s is NOT_FOUND", async (method, rest) => {
    const response = await gateway.ask(method, below({ request_id: crypto.randomUUID() }, rest));
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ status: "NOT_FOUND" });
  });

  test("another key's request does not exist, except for an admin", async () => {
    const { ticket, run } = await started();
    const other = gateway.keys.create({ name: "other", scope: "api" }).secret;
    for (const [method, rest] of operations)
      expect(`${rest} ${(await gateway.ask(method, below(ticket, rest), { key: other })).status}`).toBe(`${rest} 404`);
    expect((await gateway.ask("GET", below(ticket, "/status"), { key: gateway.adminKey })).status).toBe(202);
    run.finish({});
    await finished(ticket);
  });

  test.each([
    ["POST", "", "GET, HEAD"],
    ["DELETE", "/status", "GET, HEAD"],
    ["POST", "/cancel", "PUT"],
    ["GET", "/cancel", "PUT"],
  ])("%s .../requests/<id>%s is refused in favour of %s", async (method, rest, allowed) => {
    const response = await gateway.ask(method, below({ request_id: "x" }, rest));
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allowed);
  });
});
