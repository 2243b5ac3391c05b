// Webhooks as a caller of the queue and a receiver see them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";
import { isSigned, startReceiver, type WebhookReceiver } from "../../support/webhook-receiver.ts";

let gateway: TestGateway;
let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = startReceiver();
  gateway = await createTestGateway({ allow: ["127.0.0.0/8"] });
  gateway.holdRuns();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const submit = async (webhook: string, { body = { prompt: "hi" } as unknown, headers = {} } = {}) => {
  const response = await gateway.ask("POST", `/queue/forecourt/echo?fal_webhook=${encodeURIComponent(webhook)}`, {
    body,
    headers,
  });
  return { response, answer: await response.json() };
};
const keysAt = async (path: string) => (await (await gateway.ask("GET", path, { key: "" })).json()).keys;
/** The webhook of the request; others may come in between. */
const told = async (request: string) => {
  for (let count = receiver.received.length; ; count++) {
    const found = receiver.received.find(({ headers }) => headers.get("x-fal-webhook-request-id") === request);
    if (found) return { ...found, json: JSON.parse(found.body) };
    await receiver.count(count + 1);
  }
};

describe("a queue submission with fal_webhook", () => {
  test("is told its result, signed, with the files' URLs on the submitter's origin", async () => {
    const { response, answer } = await submit(`${receiver.origin}/hook?user=7`, {
      headers: { "x-forwarded-proto": "https", "x-forwarded-host": "box.example" },
    });
    expect(response.status).toBe(200);
    const run = await gateway.nextRun();
    run.finish({ images: [{ url: run.save("picture.png", "pixels"), width: 8 }] });
    const webhook = await told(answer.request_id);
    expect(webhook.json).toEqual({
      request_id: answer.request_id,
      gateway_request_id: answer.request_id,
      status: "OK",
      error: null,
      payload: {
        images: [{ url: expect.stringMatching(/^https:\/\/box\.example\/files\/[\w-]{22}\/picture\.png$/), width: 8 }],
      },
    });
    expect(webhook.path).toBe("/hook");
    expect(webhook.headers.get("content-type")).toBe("application/json");
    expect(webhook.headers.get("x-fal-webhook-user-id")).toBe(gateway.apiKey.split(":")[0] ?? "");
    expect(isSigned(webhook, await keysAt("/.well-known/jwks.json"))).toBe(true);
    expect(isSigned(webhook, await keysAt("/rest/.well-known/jwks.json"))).toBe(true);
    expect(isSigned({ ...webhook, body: `${webhook.body} ` }, await keysAt("/.well-known/jwks.json"))).toBe(false);
  });

  test("is told of a failed run with the error's status and body", async () => {
    const { answer } = await submit(receiver.origin);
    (await gateway.nextRun()).fail({ code: "runner_failed", message: "It broke." });
    expect((await told(answer.request_id)).json).toEqual({
      request_id: answer.request_id,
      gateway_request_id: answer.request_id,
      status: "ERROR",
      error: "Invalid status code: 500",
      payload: { detail: "It broke.", error_type: "runner_server_error" },
    });
  });

  test("is told of a wrong input", async () => {
    const { answer } = await submit(receiver.origin, { body: { steps: "many" } });
    const { json } = await told(answer.request_id);
    expect(json).toMatchObject({ status: "ERROR", error: "Invalid status code: 422" });
    const result = await gateway.ask("GET", `/queue/forecourt/echo/requests/${answer.request_id}`);
    expect(json.payload).toEqual(await result.json());
  });

  test("is told of its cancellation", async () => {
    const { answer: running } = await submit(receiver.origin);
    const { answer } = await submit(receiver.origin);
    await gateway.ask("PUT", `/queue/forecourt/echo/requests/${answer.request_id}/cancel`);
    expect((await told(answer.request_id)).json).toMatchObject({
      status: "ERROR",
      error: "Invalid status code: 499",
      payload: { error_type: "client_cancelled" },
    });
    (await gateway.nextRun()).finish({});
    expect((await told(running.request_id)).json).toMatchObject({ status: "OK", payload: {} });
  });

  test("gets a reason instead of a payload that is too large", async () => {
    const { answer } = await submit(receiver.origin);
    (await gateway.nextRun()).finish({ text: "x".repeat(5 * 1024 * 1024) });
    expect((await told(answer.request_id)).json).toEqual({
      request_id: answer.request_id,
      gateway_request_id: answer.request_id,
      status: "OK",
      payload: null,
      payload_error: expect.stringContaining("too large"),
    });
  });

  test.each([
    ["nothing", "", "absolute"],
    ["a path", "/hook", "absolute"],
    ["another protocol", "ftp://example.org/", "http or https"],
    ["a URL without end", `https://example.org/${"a".repeat(2048)}`, "2048"],
    ["a private address", "http://10.0.0.7/hook", "fetch.allow"],
    ["the metadata of a cloud", "http://169.254.169.254/latest/meta-data", "fetch.allow"],
    ["loopback", "http://[::1]:3000/", "fetch.allow"],
    ["an address within another", "http://[::ffff:10.0.0.1]/", "fetch.allow"],
    ["an address in disguise", "http://0x0a000001/", "fetch.allow"],
  ])("is refused for %s", async (_, url, reason) => {
    const { response, answer } = await submit(url);
    expect(response.status).toBe(400);
    expect(answer.detail).toContain("fal_webhook");
    expect(answer.detail).toContain(reason);
  });

  test("is refused for this very machine unless the operator allows it", async () => {
    await using strict = await createTestGateway();
    for (const url of ["http://localhost:3000/", "http://a.localhost/", "http://127.0.0.1/", receiver.origin]) {
      const response = await strict.ask("POST", `/queue/forecourt/echo?fal_webhook=${encodeURIComponent(url)}`, {
        body: { prompt: "hi" },
      });
      expect([url, response.status]).toEqual([url, 400]);
    }
    expect(strict.jobs.open()).toEqual([]);
  });
});

describe("the key set", () => {
  test("is open, may be cached, and holds one key as RFC 8037 has it", async () => {
    const response = await gateway.ask("GET", "/.well-known/jwks.json", { key: "" });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("public, max-age=3600");
    expect((await response.json()).keys).toEqual([
      {
        kty: "OKP",
        crv: "Ed25519",
        x: expect.stringMatching(/^[\w-]{43}$/),
        kid: expect.stringMatching(/^[\w-]{43}$/),
        use: "sig",
        alg: "EdDSA",
      },
    ]);
  });

  test.each([
    "http://localhost/rest/.well-known/jwks.json",
    "https://rest.fal.ai/.well-known/jwks.json",
    "https://rest.alpha.fal.ai/.well-known/jwks.json",
  ])("at %s holds it also with the padding that fal's Python sample needs", async (url) => {
    const [{ x }] = await keysAt("/.well-known/jwks.json");
    const keys: { x: string }[] = await keysAt(url);
    expect(keys.map((key) => key.x)).toEqual([x, `${x}=`]);
  });

  test("never shows the private half", async () => {
    for (const path of ["/.well-known/jwks.json", "/rest/.well-known/jwks.json"])
      for (const key of await keysAt(path)) expect(Object.keys(key)).not.toContain("d");
  });
});

describe("administration of webhooks", () => {
  const ask = async (method: string, path: string, key = gateway.adminKey) => {
    const response = await gateway.ask(method, `/admin/v1/webhooks${path}`, { key });
    return { status: response.status, answer: await response.json() };
  };
  const delivered = async () => {
    const { answer } = await submit(receiver.origin);
    (await gateway.nextRun()).finish({});
    await told(answer.request_id);
    const id: string = answer.request_id;
    const row = async () =>
      (await ask("GET", "?limit=500")).answer.webhooks.find((each: { request_id: string }) => each.request_id === id);
    for (const end = Date.now() + 5_000; (await row()).status !== "delivered" && Date.now() < end; )
      await new Promise(setImmediate);
    return { id, row };
  };

  test("lists them page by page, the latest first, by status", async () => {
    const first = await delivered();
    const second = await delivered();
    expect(await second.row()).toMatchObject({
      url: `${receiver.origin}/`,
      status: "delivered",
      attempts: 1,
      http_status: 200,
      next_attempt_at: null,
      settled_at: expect.any(String),
    });
    const page = (await ask("GET", "?status=delivered&limit=1")).answer;
    expect(page.webhooks.map(({ request_id }: { request_id: string }) => request_id)).toEqual([second.id]);
    const following = (await ask("GET", `?status=delivered&limit=1&before=${page.next}`)).answer;
    expect(following.webhooks.map(({ request_id }: { request_id: string }) => request_id)).toEqual([first.id]);
    expect((await ask("GET", "?status=dead")).answer).toEqual({ webhooks: [], next: null });
    expect((await ask("GET", "?status=lost&limit=0")).status).toBe(422);
  });

  test("sends one again", async () => {
    const { id } = await delivered();
    const before = receiver.received.length;
    const { status, answer } = await ask("POST", `/${id}/replay`);
    expect(status).toBe(202);
    expect(answer).toMatchObject({ request_id: id, status: "pending", attempts: 0 });
    const again = (await receiver.count(before + 1))[before];
    expect(again?.headers.get("x-fal-webhook-request-id")).toBe(id);
    expect(again?.body).toBe((await told(id)).body);
  });

  test("refuses what cannot be sent again, and who is no admin", async () => {
    const { answer } = await submit(receiver.origin);
    expect((await ask("POST", `/${answer.request_id}/replay`)).status).toBe(400);
    expect((await ask("POST", "/unknown/replay")).status).toBe(404);
    expect((await ask("GET", "", gateway.apiKey)).status).toBe(403);
    expect((await ask("POST", `/${answer.request_id}/replay`, gateway.apiKey)).status).toBe(403);
    (await gateway.nextRun()).finish({});
    await told(answer.request_id);
  });
});
