import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiError, createFalClient, type FalClient } from "@fal-ai/client";
import { proved } from "../support/conformance.ts";
import { falClientsOf, onBox, rewrittenFetch } from "./hosts-on-box.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-upload-"));
let server: ServerUnderTest;
beforeAll(async () => {
  server = await serverUnderTest();
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const rewritten = rewrittenFetch((url) => onBox(url, server.origin));
const recipes = falClientsOf(() => server.origin);

const MIB = 1024 * 1024;

/** A file of zeros that takes no room on disk and is read as it is sent. */
function zeros(name: string, size: number) {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, size);
  return Bun.file(path);
}

describe.each(recipes)("fal.storage by %s", (_, recipe) => {
  let fal: FalClient;
  beforeAll(() => {
    fal = recipe(server.key);
  });

  test.each([
    [0, "application/octet-stream"],
    [1024, "image/png"],
    [5 * MIB, "video/mp4"],
  ])("a file of %i bytes comes back by its URL without a key", async (size, type) => {
    const content = crypto.getRandomValues(new Uint8Array(Math.min(size, 65_536)));
    const blob = new Blob(
      Array.from({ length: Math.ceil(size / 65_536) }, () => content),
      { type },
    );
    const url = await fal.storage.upload(blob);
    expect(url).toStartWith(`${server.origin}/cdn/files/b/`);
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(await blob.arrayBuffer()))).toBe(true);
    if (size > 0) {
      const part = await fetch(url, { headers: { range: "bytes=1-3" } });
      expect(part.status).toBe(206);
      expect(new Uint8Array(await part.arrayBuffer())).toEqual(new Uint8Array(content.slice(1, 4)));
    }
  });

  test("a File keeps its name, a lifetime and rules are obeyed", async () => {
    const file = new File(["secret"], "Bericht ü.txt", { type: "text/plain" });
    const url = await fal.storage.upload(file, {
      lifecycle: { expiresIn: "1h", initialAcl: { default: "hide", rules: [] } },
    });
    expect((await fetch(url)).status).toBe(404);
    const response = await fetch(url, { headers: { authorization: `Key ${server.key}` } });
    expect(await response.text()).toBe("secret");
    expect(response.headers.get("content-disposition")).toContain("Bericht%20%C3%BC.txt");
    expect(response.headers.get("cache-control")).toContain("no-store");
    proved("js", "upload", "upload-lifecycle");
  });

  test("a Blob within an input is uploaded and read by the model", async () => {
    const { data } = await fal.subscribe("forecourt/demo-clip", {
      input: { image_url: await redCircle(), texts: ["a red circle", "a blue square"] },
      pollInterval: 50,
    });
    expect(data.scores).toHaveLength(2);
    expect(data.scores[0] + data.scores[1]).toBeCloseTo(1, 5);
    proved("js", "upload-in-input");
  }, 60_000);

  test("a wrong key may not upload", async () => {
    const failure = await recipe("nobody:nothing")
      .storage.upload(new Blob(["x"]))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 401 });
  });
});

/** By one recipe only: so many bytes. */
test("fal.storage sends 95 MB in parts", async () => {
  const fal = createFalClient({ credentials: server.key, fetch: rewritten });
  const url = await fal.storage.upload(zeros("large.bin", 95 * MIB));
  const head = await fetch(url, { method: "HEAD" });
  expect(head.headers.get("content-length")).toBe(String(95 * MIB));
  const tail = await fetch(url, { headers: { range: `bytes=${95 * MIB - 4}-` } });
  expect(new Uint8Array(await tail.arrayBuffer())).toEqual(new Uint8Array(4));
  proved("js", "upload-parts", "range");
}, 60_000);

/** A PNG of 64 by 64 pixels, red on white. */
async function redCircle(): Promise<Blob> {
  const { default: sharp } = await import("sharp");
  const isInside = (at: number) => Math.hypot((at % 64) - 32, Math.floor(at / 64) - 32) < 20;
  const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) =>
    i % 3 === 0 || !isInside(Math.floor(i / 3)) ? 255 : 0,
  );
  const png = await sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } })
    .png()
    .toBuffer();
  return new Blob([new Uint8Array(png)], { type: "image/png" });
}

describe("fal.stream in client mode", () => {
  const ECHO = "test/echo/idle";
  const input = { prompt: "by token", steps: 2, step_ms: 5 };

  test("fetches a token and streams with it, without its key", async () => {
    const seen: { url: string; key: string | null }[] = [];
    const fal = createFalClient({
      credentials: server.key,
      fetch: Object.assign((url: string | URL | Request, init?: RequestInit) => {
        seen.push({ url: String(url), key: new Headers(init?.headers).get("authorization") });
        return rewritten(url, init);
      }, fetch),
    });
    const stream = await fal.stream(ECHO, { input, connectionMode: "client" });
    expect(await stream.done()).toEqual({ prompt: "by token", steps: 2 });
    expect(seen.map(({ url }) => url.replace(/=.*/, "="))).toEqual([
      "https://rest.fal.ai/tokens/",
      "https://fal.run/test/echo/idle/stream?fal_jwt_token=",
    ]);
    expect(seen[1]?.key ?? null).toBeNull();
    proved("js", "stream-token");
  });

  test("takes a token of the caller's own provider, for the whole path", async () => {
    const fal = createFalClient({ credentials: server.key, fetch: rewritten });
    const stream = await fal.stream(ECHO, {
      input,
      connectionMode: "client",
      tokenProvider: async (app) => {
        const response = await fetch(`${server.origin}/rest/tokens/realtime`, {
          method: "POST",
          headers: { authorization: `Key ${server.key}` },
          body: JSON.stringify({ allowed_apps: [app], duration: 60 }),
        });
        return (await response.json()).token;
      },
    });
    expect(await stream.done()).toEqual({ prompt: "by token", steps: 2 });
  });
});
