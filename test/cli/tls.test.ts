// `forecourt tls init` on a real disk; its certificates judged by the TLS library of the runtime.
import { afterAll, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFileSync, rmSync, statSync } from "node:fs";
import { writeCertificates } from "../../src/cli/tls/certificate-files.ts";
import { tls } from "../../src/cli/tls.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";

afterAll(removeFolders);

const make = async (dir: string, names: string[], days = 30) => {
  const made = await writeCertificates({ dir, names, days, now: new Date() });
  return { ...made, read: (name: string) => readFileSync(`${dir}/${name}`, "utf8") };
};

test("an authority and a certificate for the names are made, keys for their owner alone", async () => {
  const dir = newFolder();
  const { read, isNewAuthority } = await make(dir, ["box.example", "10.1.2.3", "*.box.example"]);
  expect(isNewAuthority).toBe(true);
  for (const name of ["key.pem", "ca-key.pem"]) expect(statSync(`${dir}/${name}`).mode & 0o777).toBe(0o600);
  const authority = new X509Certificate(read("ca.pem"));
  const certificate = new X509Certificate(read("cert.pem"));
  expect(authority.ca).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(certificate.verify(authority.publicKey)).toBe(true);
  expect(certificate.checkIssued(authority)).toBe(true);
  expect(certificate.checkHost("box.example")).toBe("box.example");
  expect(certificate.checkHost("a.box.example")).toBeDefined();
  expect(certificate.checkHost("fal.run")).toBeUndefined();
  expect(certificate.checkIP("10.1.2.3")).toBe("10.1.2.3");
  expect(Date.parse(certificate.validTo) - Date.now()).toBeCloseTo(30 * 86_400_000, -5);
  expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now());
});

test("again in the same directory, the authority stays and the certificate is another", async () => {
  const dir = newFolder();
  const { read } = await make(dir, ["first"]);
  const [authority, certificate] = [read("ca.pem"), read("cert.pem")];
  expect((await make(dir, ["second"])).isNewAuthority).toBe(false);
  expect(read("ca.pem")).toBe(authority);
  expect(read("cert.pem")).not.toBe(certificate);
  const second = new X509Certificate(read("cert.pem"));
  expect(second.checkHost("second")).toBe("second");
  expect(second.verify(new X509Certificate(authority).publicKey)).toBe(true);
});

test("half an authority, or a damaged one, is told and left alone", async () => {
  const dir = newFolder();
  const { read } = await make(dir, ["box"]);
  const authority = read("ca.pem");
  await Bun.write(`${dir}/ca-key.pem`, "damaged");
  await expect(make(dir, ["box"])).rejects.toMatchObject({ code: "misconfigured" });
  rmSync(`${dir}/ca-key.pem`);
  await expect(make(dir, ["box"])).rejects.toThrow("ca-key.pem is missing");
  expect(read("ca.pem")).toBe(authority);
});

test("the command adds the names that fal's clients call and says how clients trust it", async () => {
  const dir = newFolder();
  const { exitCode, stderr } = await forecourt([
    "tls",
    "init",
    "--dir",
    dir,
    "--names",
    "box, 10.0.0.1",
    "--fal-hosts",
  ]);
  expect(exitCode).toBe(0);
  for (const way of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "cert.pem", "key.pem"]) expect(stderr).toContain(way);
  const certificate = new X509Certificate(readFileSync(`${dir}/cert.pem`));
  const hosts = ["fal.run", "queue.fal.run", "ws.fal.run", "rest.fal.ai", "v3.fal.media", "api.fal.ai"];
  for (const host of ["box", ...hosts]) expect(certificate.checkHost(host)).toBe(host);
}, 60_000);

test.each([
  [["--names", "a b"], "a b"],
  [["--names", "box,"], "no host name"],
  [["--names", "https://box"], "no host name"],
  [["--names", "box", "--days", "0"], "--days"],
])("%j is wrong usage", async (words, text) => {
  const called = tls().parseAsync(["init", "--dir", newFolder(), ...words], { from: "user" });
  await expect(called).rejects.toMatchObject({ code: "bad_request", message: expect.stringContaining(text) });
});
