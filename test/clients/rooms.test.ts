// Keys that fill what all share, by the clients that do so, against a server with little room: told which limit and what to do,
// not tried again, and nothing kept of it; others have their own.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { ApiError, createFalClient } from "@fal-ai/client";
import OpenAI from "openai";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { onBox } from "./hosts-on-box.ts";

setDefaultTimeout(60_000);
const MIB = 1024 * 1024;
let server: LiveServer;
let [one, other] = ["", ""];
beforeAll(async () => {
  server = await startServer({ env: { FORECOURT_STORAGE_ROOM_MB: "1", FORECOURT_OPENAI_CONVERSATIONS_ROOM_MB: "1" } });
  [one, other] = [await newKey(), await newKey()];
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

async function newKey(): Promise<string> {
  const made = await ask("POST", "/admin/v1/keys", { key: server.key, body: { name: "fills" } });
  return ((await made.json()) as { key: string }).key;
}

const ask = (method: string, path: string, { key, body }: { key: string; body?: object }) =>
  fetch(`${server.origin}${path}`, {
    method,
    headers: { authorization: `Key ${key}`, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });

/** `sent` counts its requests. */
function falOf(credentials: string) {
  let sent = 0;
  const { storage } = createFalClient({
    credentials,
    fetch: Object.assign(
      (input: string | URL | Request, init?: RequestInit) => {
        sent++;
        return fetch(input instanceof Request ? input : onBox(String(input), server.origin), init);
      },
      { preconnect: () => {} },
    ),
    requestMiddleware: async (request) => ({ ...request, url: onBox(request.url, server.origin) }),
  });
  return {
    upload: (size: number) => storage.upload(new Blob([new Uint8Array(size)])),
    sent: () => sent,
  };
}

test("fal's client is told that its key's files have no more room; deleting some makes it", async () => {
  const fal = falOf(one);
  const url = await fal.upload(0.6 * MIB);
  const before = fal.sent();
  const refused = await fal.upload(0.6 * MIB).catch((error: unknown) => error);
  if (!(refused instanceof ApiError)) throw refused;
  expect([refused.status, fal.sent() - before]).toEqual([413, 2]);
  expect(refused.body.detail).toMatch(
    /^The uploaded files of this key take up .* of the 1 MiB .*storage\.room_mb.* Delete some/,
  );
  await falOf(other).upload(0.6 * MIB);
  const listed = await (await ask("GET", "/platform/v1/storage/files", { key: one })).json();
  expect(listed).toMatchObject({
    files: [{ url, size: Math.floor(0.6 * MIB) }],
    has_more: false,
    room: { limit: MIB },
  });
  const file = `/platform/v1/storage/files?url=${encodeURIComponent(url)}`;
  expect((await ask("DELETE", file, { key: other })).status).toBe(404);
  expect((await ask("DELETE", file, { key: one })).status).toBe(204);
  expect((await fetch(url)).status).toBe(404);
  expect((await ask("DELETE", file, { key: one })).status).toBe(404);
  await fal.upload(0.6 * MIB);
});

test("the room is the same after kill -9", async () => {
  const fal = falOf(await newKey());
  await fal.upload(0.6 * MIB);
  const { data, port } = server;
  await server.kill("SIGKILL");
  server = await startServer({
    data,
    port,
    env: { FORECOURT_STORAGE_ROOM_MB: "1", FORECOURT_OPENAI_CONVERSATIONS_ROOM_MB: "1" },
  });
  expect(await fal.upload(0.6 * MIB).catch((error: unknown) => error)).toMatchObject({ status: 413 });
});

test("OpenAI's client is told that its key's conversations have no more room, and does not try again", async () => {
  let sent = 0;
  const clientOf = (apiKey: string) =>
    new OpenAI({
      ...{ apiKey, baseURL: `${server.origin}/v1`, maxRetries: 2 },
      fetch: (input, init) => {
        sent++;
        return fetch(input, init);
      },
    });
  const { conversations } = clientOf(one);
  const said = (size: number) => [{ role: "user" as const, content: "x".repeat(size) }];
  const { id } = await conversations.create({ items: said(600_000) });
  const before = sent;
  const refused = await conversations.items.create(id, { items: said(600_000) }).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refused instanceof OpenAI.RateLimitError)) throw refused;
  expect([refused.status, refused.code, refused.type, sent - before]).toEqual([
    429,
    "room_full",
    "insufficient_quota",
    1,
  ]);
  expect(refused.message).toMatch(
    /conversations of this key take up 0\.57 of the 1 MiB .*openai\.conversations\.room_mb/,
  );
  await clientOf(other).conversations.create({ items: said(600_000) });
  expect((await conversations.items.list(id)).data).toHaveLength(1);
  await conversations.delete(id);
  await conversations.create({ items: said(600_000) });
});
