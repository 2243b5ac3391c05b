// Whatever is sent to whatever route: an answer below 500, or a documented 5xx, within seconds, and the server lives on.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import fc from "fast-check";
import { codesWithStatus, statusOf } from "../../src/gateway/failures.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

/** Fixed, so that a failure is of the change at hand; another one looks elsewhere. */
const seed = Number(process.env.FORECOURT_FUZZ_SEED ?? 1);
const runs = Number(process.env.FORECOURT_FUZZ_RUNS ?? 400);
const BOUND_MS = 20_000;

/** What the table of failures says the box may answer when it cannot serve; 500 says that the box has a fault. */
const documented = new Set(codesWithStatus(501, 600).map((code) => statusOf({ code, message: "" })));

/** RFC 9110: not implemented, and a version of HTTP that is not spoken here. Bun's parser says so, no route is reached. */
const OF_HTTP = [501, 505];

let gateway: TestGateway;
let server: LiveServer;
beforeAll(async () => {
  gateway = await createTestGateway();
  server = await startServer();
}, 60_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** The usual ones more often: most routes take one or two of them. */
const METHODS = [
  ...["GET", "GET", "GET", "GET", "POST", "POST", "POST", "POST", "PUT", "PUT"],
  ...["HEAD", "PATCH", "DELETE", "OPTIONS", "QUERY"],
];
/** Below the wildcards: what their own faces tell apart. */
const BELOW = [
  ...["forecourt/echo", "forecourt/echo/stream", "forecourt/echo/requests/x/status", "forecourt/echo/requests/x"],
  ...["forecourt/echo/requests/x/cancel", "forecourt/echo/requests/x/status/stream", "workflows/execute"],
  ...["tokens/", "tokens/realtime", "storage/upload/initiate", "storage/upload/initiate-multipart"],
  ...["storage/auth/token", "files/upload", "files/upload/multipart", "v1/models", "v1/models/pricing", "v1/keys"],
  ...["v1/models/usage", "v1/models/analytics", "v1/models/billing-events", "v1/models/requests/search"],
  ...["v1/models/requests/by-endpoint", "v1/storage/settings", "v1/storage/files/acl", "v1/storage/files/sign"],
  ...["v1/workflows", "v1/workflows/a/b", "v1/account/billing", "chat/completions", "models"],
  ...["openrouter/router/openai/v1/chat/completions", "workflows/a/b"],
  ...["uploads/AAAAAAAAAAAAAAAAAAAAAA", "files/b/AAAAAAAAAAAAAAAAAAAAAA/a.png", ""],
];

const noise = fc.string({ unit: "binary", maxLength: 40 });
const part = fc.oneof(
  noise.map(encodeURIComponent_),
  fc.constantFrom("..", ".", "%00", "%", "%ff", "a", "0", "-1", "null"),
);
const headerValue = fc.oneof(
  fc.constantFrom("", "0", "-1", "NaN", "1e400", "{}", "[]", "null", "bytes=0-", "bytes=-", "application/json", "*"),
  fc.constantFrom("application/json, text/event-stream", "2025-06-18", "2026-07-28", new Date(0).toUTCString()),
  fc.string({ unit: "grapheme-ascii", maxLength: 60 }).map((text) => text.replace(/[^\x20-\x7e]/g, "")),
);
const headers = fc.dictionary(
  fc.constantFrom(
    ...["accept", "content-type", "range", "if-range", "if-none-match", "if-match", "origin", "host", "x-fal-tags"],
    ...["x-fal-request-timeout", "x-fal-queue-priority", "x-fal-runner-hint", "x-fal-no-retry", "x-fal-retry-config"],
    ...["x-fal-store-io", "x-fal-object-lifecycle", "x-fal-object-lifecycle-preference", "x-fal-target-url"],
    ...["x-fal-file-name", "x-forwarded-proto", "x-forwarded-host", "idempotency-key", "access-control-request-method"],
    ...["if-modified-since", "if-unmodified-since", "mcp-protocol-version", "mcp-session-id", "last-event-id"],
  ),
  headerValue,
  { maxKeys: 4 },
);
/** What the MCP endpoint takes, more or less. */
const rpc = fc
  .record(
    {
      jsonrpc: fc.constantFrom("2.0", "1.0"),
      id: fc.oneof(fc.integer(), noise, fc.constant(null)),
      method: fc.constantFrom(
        "initialize",
        "ping",
        "tools/list",
        "tools/call",
        "server/discover",
        "notifications/cancelled",
      ),
      params: fc.record(
        {
          name: fc.constantFrom("search_models", "run_model", "check_job", "upload_file", "forecourt_echo", "none"),
          arguments: fc.oneof(fc.object(), fc.constant({ endpoint_id: "forecourt/echo", input: { prompt: "a" } })),
          cursor: noise,
          _meta: fc.oneof(fc.object(), fc.constant({ progressToken: 1 })),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  .map((message) => new TextEncoder().encode(JSON.stringify(message)));
const body = fc.oneof(
  rpc,
  fc.uint8Array({ maxLength: 300 }),
  fc.json().map((text) => new TextEncoder().encode(text)),
  fc.constant(new TextEncoder().encode('{"prompt":"a","steps":1}')),
);

/** Lone surrogates have no encoding. */
function encodeURIComponent_(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

const routes = () => [...new Set(gateway.app.routes.map(({ path }) => path))];
const path = () =>
  fc
    .tuple(fc.constantFrom(...routes()), fc.array(part, { maxLength: 3 }), fc.constantFrom(...BELOW), part)
    .map(([route, parts, below, one]) =>
      route.replace(/:[^/]+/g, one).replace("*", parts.length > 1 ? parts.join("/") : below),
    );
const query = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom("logs", "limit", "cursor", "endpoint_id", "expand", "fal_webhook"), noise),
      noise,
    ),
    {
      maxLength: 3,
    },
  )
  .map((pairs) =>
    new URLSearchParams(pairs.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()])).toString(),
  );

const mostly = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: rare });

type Asked = { method: string; path: string; query: string; headers: Record<string, string>; body: Uint8Array };

describe("any request", () => {
  test("gets an answer that is not a fault of the box, soon", async () => {
    expect(routes().length).toBeGreaterThan(20);
    await fc.assert(
      fc.asyncProperty(
        fc.record({ method: fc.constantFrom(...METHODS), path: path(), query, headers, body }),
        fc.constantFrom(gateway.apiKey, gateway.adminKey, ""),
        async (asked, key) => {
          const status = await statusOfAnswer(asked, key);
          if (status >= 500) expect(documented).toContain(status);
        },
      ),
      { seed, numRuns: runs, endOnFailure: false },
    );
    expect(gateway.logged.filter(({ level }) => level === "error")).toEqual([]);
  }, 300_000);
});

async function statusOfAnswer(asked: Asked, key: string): Promise<number> {
  const hasBody = asked.method !== "GET" && asked.method !== "HEAD";
  const request = new Request(`http://localhost${asked.path}?${asked.query}`, {
    method: asked.method,
    headers: { ...asked.headers, ...(key !== "" && { authorization: `Key ${key}` }) },
    ...(hasBody && { body: new Uint8Array(asked.body) }),
  });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${BOUND_MS} ms`)), BOUND_MS);
  try {
    const response = await Promise.race([gateway.app.handle(request), late.promise]);
    await response.body?.cancel(); // streams may go on for as long as their job
    return response.status;
  } finally {
    clearTimeout(timer);
  }
}

const WIRE_LINES = [
  ...["GET / HTTP/1.1", "POST /run/forecourt/echo HTTP/1.1", "GET /files/.. HTTP/1.0", "PUT /cdn/uploads/x HTTP/1.1"],
  ...["FOO /health HTTP/1.1", "GET http://[::1 HTTP/1.1", "GET /%zz HTTP/9.9", "PRI * HTTP/2.0", "GET /health"],
];
const WIRE_HEADERS = [
  ...["Host: y", "X-Forwarded-Host: fal.run", "X-Fal-Target-Url: https://fal.run/forecourt/echo", ": empty"],
  ...["Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 5, 6", "Range: bytes=0-"],
  ...["Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Expect: 100-continue", "Upgrade: websocket"],
  ...["Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"],
  ...["Content-Type: application/json", "X-Fal-Request-Timeout: 1", "X-Fal-Request-Timeout: 1e-9", "If-None-Match: *"],
];

/** Noise, and requests on every route that are right in part: raw bytes in the path, headers at odds, a key or none. */
function wireBytes(): fc.Arbitrary<Uint8Array> {
  const authorization = `Authorization: Key ${server.key}`;
  const raw = mostly(fc.constant(new Uint8Array()), fc.uint8Array({ maxLength: 8 }));
  const version = mostly(fc.constant("1.1"), fc.constant("1.0"));
  const onRoute = fc
    .tuple(fc.constantFrom(...METHODS), path(), raw, version)
    .map(([method, at, odd, http]) =>
      Buffer.concat([Buffer.from(`${method} ${at}`), odd, Buffer.from(` HTTP/${http}`)]),
    );
  const line = mostly(
    onRoute,
    fc.constantFrom(...WIRE_LINES).map((text) => Buffer.from(text)),
  );
  const oneHeader = mostly(fc.constantFrom(...WIRE_HEADERS, ...Array<string>(8).fill(authorization)), noise);
  const requestLike = fc
    .record({ line, headers: fc.array(oneHeader, { maxLength: 4 }), rest: body, isMeasured: fc.boolean() })
    .map(({ line, headers, rest, isMeasured }) => {
      const all = ["Host: x", ...headers, ...(isMeasured ? [`Content-Length: ${rest.byteLength}`] : [])];
      return Buffer.concat([line, Buffer.from(`\r\n${all.map((each) => `${each}\r\n`).join("")}\r\n`), rest]);
    });
  return mostly(requestLike, fc.uint8Array({ maxLength: 400 }));
}

describe("any bytes on the wire", () => {
  test("get an answer below 500 or a closed connection, and the next request is served", async () => {
    await fc.assert(
      fc.asyncProperty(wireBytes(), async (sent) => {
        const answer = await exchange(server.port, sent);
        const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0);
        if (status >= 500) expect(new Set([...documented, ...OF_HTTP])).toContain(status);
      }),
      { seed, numRuns: Math.ceil(runs / 2) },
    );
    expect((await fetch(`${server.origin}/health`)).status).toBe(200);
    expect((await fetch(`${server.origin}/ready`)).status).toBe(200);
    expect(server.output()).not.toMatch(/panic|Segmentation|"level":"error"/);
  }, 300_000);
});

/** Sends, says that this was all, and reads until the other side is done too; a half request may be waited for. */
function exchange(port: number, sent: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1" });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`neither an answer nor an end within ${BOUND_MS} ms`));
    }, BOUND_MS);
    const done = () => {
      clearTimeout(timer);
      resolve(answer);
    };
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("close", done);
    socket.on("error", done); // reset by a server that wants no more of this
    socket.end(sent);
  });
}
