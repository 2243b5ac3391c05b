// Serving https: with a certificate and its key, and what is said when they cannot be used.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CertificateFiles, writeCertificates } from "../../src/cli/tls/certificate-files.ts";
import { staleCertificate } from "../../src/gateway/certificate.ts";
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
  ["with a key of another certificate", () => ({ cert: files.authority, key: files.key }), "is not the key of"],
  ["with a file that is no certificate", () => ({ cert: files.key, key: files.key }), "is no certificate in PEM"],
  ["with a file that is no key", () => ({ cert: files.certificate, key: files.authority }), "is no private key in PEM"],
])("%s it does not start and says why", (_, tls, text) => {
  expect(() => listen(tls())).toThrow(
    expect.objectContaining({ code: "misconfigured", message: expect.stringContaining(text) }),
  );
});

test("a certificate that clients refuse, or soon will, is told with its day", () => {
  const tls = { cert: files.certificate, key: files.key };
  const ends = new Date(new X509Certificate(readFileSync(files.certificate)).validTo);
  const at = (days: number) => staleCertificate(tls, new Date(ends.getTime() + days * 24 * 60 * 60 * 1000));
  const day = ends.toISOString().slice(0, 10);
  expect(at(-15)).toMatchObject({ isRefused: true, remedy: expect.stringContaining("clock") });
  expect(at(-1)).toMatchObject({ isRefused: false, what: expect.stringContaining(`ends on ${day}`) });
  expect(at(0)).toMatchObject({ isRefused: true, what: expect.stringContaining(`ended on ${day}`) });
  expect(staleCertificate({ cert: "", key: "" }, ends)).toBeUndefined();
});

test("of one that is good for long nothing is said", async () => {
  const { files: lasting } = await writeCertificates({
    dir: join(folder, "lasting"),
    names: ["localhost"],
    days: 90,
    now: new Date(),
  });
  expect(staleCertificate({ cert: lasting.certificate, key: lasting.key }, new Date())).toBeUndefined();
});
