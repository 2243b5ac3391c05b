// A receiver of webhooks on loopback that keeps what it gets and answers as the test says; and fal's documented verifier.
import { createHash, createPublicKey, verify } from "node:crypto";

export type Received = { path: string; headers: Headers; body: string };

export type WebhookReceiver = {
  /** http://127.0.0.1:<port> */
  origin: string;
  received: Received[];
  /** Resolves when so many have come in all. */
  count(total: number): Promise<Received[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

type Answer = (received: Received, index: number) => Response | Promise<Response>;

export function startReceiver(answer: Answer = () => new Response("thanks")): WebhookReceiver {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const one = { path: new URL(request.url).pathname, headers: request.headers, body: await request.text() };
      received.push(one);
      const index = received.length - 1;
      for (const look of waiting) look();
      return await answer(one, index);
    },
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    received,
    count: (total) =>
      new Promise((resolve, reject) => {
        const impatience = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`${received.length} webhooks came, not ${total}`));
        }, 10_000);
        const look = () => {
          if (received.length < total) return;
          clearTimeout(impatience);
          waiting.delete(look);
          resolve(received);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

type PublishedKey = { kty: string; crv: string; x: string };

/** As fal documents it (fal-protocol.md 3): every header there, the time within five minutes, any key of the set. */
export function isSigned({ headers, body }: Received, keys: PublishedKey[], nowMs = Date.now()): boolean {
  const [id, user, timestamp, signature] = ["request-id", "user-id", "timestamp", "signature"].map((name) =>
    headers.get(`x-fal-webhook-${name}`),
  );
  if (!id || !user || !timestamp || !signature || !/^[0-9a-f]{128}$/.test(signature)) return false;
  if (!/^\d+$/.test(timestamp) || Math.abs(nowMs / 1000 - Number(timestamp)) > 300) return false;
  const digest = createHash("sha256").update(body).digest("hex");
  const message = Buffer.from(`${id}\n${user}\n${timestamp}\n${digest}`);
  return keys.some(({ x }) => {
    // From the raw bytes, as receivers with other libraries do.
    const raw = Buffer.from(x, "base64url");
    const prefix = Buffer.from("302a300506032b6570032100", "hex"); // SubjectPublicKeyInfo of Ed25519 (RFC 8410)
    const key = createPublicKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "spki" });
    return verify(null, message, key, Buffer.from(signature, "hex"));
  });
}
