// A server whose files lie in a bucket: clients see no difference, also while the bucket is away.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FalClient } from "@fal-ai/client";
import { forecourt, type LiveServer, startServer, until } from "../support/live-server.ts";
import { hasS3Server, type S3Server, startS3Server } from "../support/s3-server.ts";
import { falClientOf } from "./hosts-on-box.ts";

const MIB = 1024 * 1024;
const ECHO = "forecourt/echo";

describe.skipIf(!hasS3Server)("files in a bucket", () => {
  const data = mkdtempSync(join(tmpdir(), "forecourt-bucket-"));
  let bucket: S3Server;
  let server: LiveServer;
  let fal: FalClient;
  let env: Record<string, string>;
  beforeAll(async () => {
    bucket = await startS3Server();
    // From before there was a bucket.
    mkdirSync(join(data, "files", "A".repeat(22)), { recursive: true });
    writeFileSync(join(data, "files", "A".repeat(22), "old.txt"), "old");
    env = {
      FORECOURT_STORAGE_S3_BUCKET: bucket.bucket,
      FORECOURT_STORAGE_S3_ENDPOINT: bucket.endpoint,
      FORECOURT_STORAGE_S3_ACCESS_KEY_ID: bucket.accessKeyId,
      FORECOURT_STORAGE_S3_SECRET_ACCESS_KEY: bucket.secretAccessKey,
      FORECOURT_STORAGE_S3_PREFIX: "box/",
    };
    server = await startServer({ data, env });
    fal = falClientOf(server);
  }, 120_000);
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await bucket[Symbol.asyncDispose]();
    rmSync(data, { recursive: true, force: true });
  });

  /** Nothing but its folders waits on the disk any more. */
  const moved = () =>
    until(
      async () => ["files", "uploads"].every((folder) => filesBelow(join(data, folder)).length === 0),
      "all has moved to the bucket",
    );
  const get = (url: string, headers: Record<string, string> = {}, method = "GET") => fetch(url, { method, headers });

  test("an upload is there at once and nowhere else; ranges, HEAD and conditions work", async () => {
    const url = await fal.storage.upload(new File(["0123456789"], "digits.txt", { type: "text/plain" }));
    await moved();
    expect((await bucket.names()).some((name) => /^box\/uploads\/[\w-]{22}\/[0-9a-f]{64}$/.test(name))).toBe(true);
    const whole = await get(url);
    expect(await whole.text()).toBe("0123456789");
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      ...{ "content-type": expect.stringContaining("text/plain"), "content-length": "10" },
    });
    const part = await get(url, { range: "bytes=-3" });
    expect({ status: part.status, text: await part.text() }).toEqual({ status: 206, text: "789" });
    expect(part.headers.get("content-range")).toBe("bytes 7-9/10");
    expect((await get(url, {}, "HEAD")).headers.get("content-length")).toBe("10");
    expect((await get(url, { range: "bytes=10-" })).status).toBe(416);
    expect((await get(url, { "if-none-match": whole.headers.get("etag") ?? "" })).status).toBe(304);
    expect((await get(url, { "if-match": '"other"' })).status).toBe(412);
  });

  test("95 MB in parts arrive whole", async () => {
    const url = await fal.storage.upload(new Blob([new Uint8Array(95 * MIB)]));
    const response = await get(url);
    let size = 0;
    for await (const chunk of response.body ?? []) size += chunk.byteLength;
    expect(size).toBe(95 * MIB);
  }, 120_000);

  test("rules and lifetimes are obeyed, and what is over leaves the bucket", async () => {
    const before = await bucket.names();
    const url = await fal.storage.upload(new Blob(["secret"]), {
      lifecycle: { expiresIn: 3, initialAcl: { default: "hide", rules: [] } },
    });
    expect((await get(url)).status).toBe(404);
    const headers = { authorization: `Key ${server.key}` };
    expect(await (await get(url, headers)).text()).toBe("secret");
    const signed = await fetch(`${url}/sign`, { method: "POST", headers, body: JSON.stringify({ duration: 60 }) });
    expect(await (await get(await signed.text())).text()).toBe("secret");
    await until(async () => (await get(url, headers)).status === 404, "its time is over");
    // Swept at a start, and every hour.
    await restart();
    await until(async () => (await bucket.names()).length === before.length, "the bucket is rid of it");
  }, 60_000);

  test("outputs move there, and are read before and after; so does what lay here earlier", async () => {
    const input = { prompt: "a big red circle on a blue ground", seed: 7, num_inference_steps: 2 };
    const { data: output } = await fal.subscribe("forecourt/demo-diffusion", { input, pollInterval: 50 });
    const picture = await (await get(output.images[0].url)).bytes();
    await moved();
    expect(await (await get(output.images[0].url)).bytes()).toEqual(picture);
    expect(await (await get(`${server.origin}/files/${"A".repeat(22)}/old.txt`)).text()).toBe("old");
    const texts = ["a red circle", "a blue square"];
    const asInput = { input: { image_url: output.images[0].url, texts }, pollInterval: 50 };
    const { data: similarity } = await fal.subscribe("forecourt/demo-clip", asInput);
    expect(similarity.scores).toHaveLength(2);
  }, 120_000);

  test("while the bucket is away, uploads and reads are a clear 503, and runs go on", async () => {
    const [kept, over] = [await fal.storage.upload(new Blob(["kept"])), await fal.storage.upload(new Blob(["over"]))];
    const isOver = (name: string) => name.includes(new URL(over).pathname.split("/").at(-2) ?? "");
    expect((await bucket.names()).some(isOver)).toBe(true);
    await bucket.stop();
    const headers = { authorization: `Key ${server.key}`, "content-type": "text/plain" };
    const refused = await fetch(`${server.origin}/cdn/files/upload`, { method: "POST", headers, body: "x" });
    expect(refused.status).toBe(503);
    expect((await refused.json()).detail).toMatch(/file store s3:\/\/forecourt-test\/box\/ .*cannot be used/);
    expect((await get(kept)).status).toBe(503);
    const url = encodeURIComponent(over);
    const deleted = await fetch(`${server.origin}/platform/v1/storage/files?url=${url}`, { method: "DELETE", headers });
    expect(deleted.ok).toBe(true);
    expect((await get(over)).status).toBe(404);
    expect((await get(`${server.origin}/health`)).status).toBe(200);
    const { data: echoed } = await fal.subscribe(ECHO, { input: { prompt: "hi" }, pollInterval: 50 });
    expect(echoed).toMatchObject({ prompt: "hi" });
    const input = { prompt: "a small green star", seed: 1, num_inference_steps: 1 };
    const { data: output } = await fal.subscribe("forecourt/demo-diffusion", { input, pollInterval: 50 });
    expect((await get(output.images[0].url)).status).toBe(200);

    const report = await doctor();
    expect(report.text).not.toContain(bucket.secretAccessKey);
    expect(JSON.parse(report.text).complaints).toContainEqual(
      expect.objectContaining({ severity: "failed", what: expect.stringContaining("ECONNREFUSED") }),
    );
    await restart(); // also a start needs no bucket
    await bucket.start();
    expect(await (await get(kept)).text()).toBe("kept");
    await moved();
    await until(async () => !(await bucket.names()).some(isOver), "what was deleted meanwhile leaves the bucket");
    expect((await get(output.images[0].url)).status).toBe(200);
    expect(JSON.parse((await doctor()).text).storage).toEqual({
      place: `s3://forecourt-test/box/ at ${bucket.endpoint}`,
      reason: null,
    });
  }, 120_000);

  async function restart() {
    const { port } = server;
    await server.kill("SIGTERM");
    server = await startServer({ data, port, env });
  }

  async function doctor() {
    const words = [...forecourt, "doctor", "--json", "--data", data];
    const child = Bun.spawn(words, { env: { ...process.env, ...env }, stdout: "pipe", stderr: "inherit" });
    const text = await new Response(child.stdout).text();
    await child.exited;
    return { text };
  }
});

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch {
    return []; // nothing was ever put there
  }
}
