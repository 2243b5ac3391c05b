// Serving https: with a certificate and its key, and what is said when they cannot be used.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CertificateFiles, writeCertificates } from "../../src/cli/tls/certificate-files.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-https-"));
const stop = new AbortController();
let gateway: TestGateway;
let files: CertificateFiles;
beforeAll(async () => {
  gateway = await createTestGateway();
  ({ files } = await writeCertificates({ dir: folder, names: ["localhost", "rest.fal.ai"], days: 1, now: new Date() }));
});
afterAll(async () => {
  stop.abort();
  await gateway[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const listen = (tls: { cert: string; key: string }) =>
  gateway.listen({ host: "127.0.0.1", port: 0, signal: stop.signal, tls });

test("answers over https, and its URLs begin with it", async () => {
  const { port } = listen({ cert: files.certificate, key: files.key });
  const ca = readFileSync(files.authority, "utf8");
  const response = await fetch(`https://localhost:${port}/rest/storage/upload/initiate`, {
    method: "POST",
    headers: { authorization: `Key ${gateway.apiKey}` },
    tls: { ca },
  });
  expect((await response.json()).file_url).toStartWith(`https://localhost:${port}/cdn/files/b/`);
  await expect(fetch(`https://localhost:${port}/health`)).rejects.toThrow(/certificate/);
});

test.each([
  ["without a key", () => ({ cert: files.certificate, key: "" }), "belong together"],
  ["without a certificate", () => ({ cert: "", key: files.key }), "belong together"],
  ["with a file that is not there", () => ({ cert: join(folder, "none"), key: files.key }), "tls.cert cannot be read"],
  ["with a key of another certificate", () => ({ cert: files.authority, key: files.key }), "Cannot listen"],
  ["with a file that is no certificate", () => ({ cert: files.key, key: files.key }), "Cannot listen"],
])("%s it does not start and says why", (_, tls, text) => {
  expect(() => listen(tls())).toThrow(
    expect.objectContaining({ code: "misconfigured", message: expect.stringContaining(text) }),
  );
});
