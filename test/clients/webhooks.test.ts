// Webhooks as fal's JavaScript client asks for them, checked as fal documents it.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createFalClient, type WebHookResponse } from "@fal-ai/client";
import { proved } from "../support/conformance.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { isSigned, startReceiver } from "../support/webhook-receiver.ts";
import { onBox, rewrittenFetch } from "./hosts-on-box.ts";
import { ECHO_MODEL } from "./server-under-test.ts";

const ECHO = "test/echo/idle";
let server: LiveServer;
beforeAll(async () => {
  server = await startServer({ models: [ECHO_MODEL], env: { FORECOURT_FETCH_ALLOW: "127.0.0.0/8" } });
}, 60_000);
afterAll(() => server?.[Symbol.asyncDispose]());
const client = () =>
  createFalClient({ credentials: server.key, fetch: rewrittenFetch((url) => onBox(url, server.origin)) });

test("queue.submit with webhookUrl has the result, or the model's error, sent there, signed", async () => {
  await using receiver = startReceiver();
  const webhookUrl = `${receiver.origin}/hook?from=a b`;
  const good = await client().queue.submit(ECHO, { input: { prompt: "told" }, webhookUrl });
  const bad = await client().queue.submit(ECHO, { input: { steps: 0 }, webhookUrl });
  const received = await receiver.count(2);
  const { keys } = await (await fetch(`${server.origin}/.well-known/jwks.json`)).json();
  expect(received.map((each) => isSigned(each, keys))).toEqual([true, true]);
  const bodies = received.map(({ body }) => JSON.parse(body) as WebHookResponse);
  const of = (id: string) => bodies.find(({ request_id }) => request_id === id);
  expect(of(good.request_id)).toMatchObject({ status: "OK", payload: { prompt: "told", steps: 1 } });
  expect(of(bad.request_id)).toMatchObject({
    ...{ status: "ERROR", error: "Invalid status code: 422" },
    payload: { detail: [{ loc: ["body", "prompt"] }, { loc: ["body", "steps"] }] },
  });
  proved("js", "webhook");
}, 60_000);

test("an address that no webhook may go to is an ApiError of the submission", async () => {
  for (const webhookUrl of ["http://10.0.0.1/hook", "http://169.254.169.254/latest", "no url"]) {
    const failure = await client()
      .queue.submit(ECHO, { input: { prompt: "x" }, webhookUrl })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 400, body: { error_type: "bad_request" } });
  }
});
