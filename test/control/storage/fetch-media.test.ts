// Fetching what users point to: only where it is allowed, only as much and as long as it is.
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetchMedia } from "../../../src/control/storage/fetch-media.ts";
import type { Resolver } from "../../../src/control/storage/pinned-address.ts";
import { createAddressGuard } from "../../../src/control/storage/public-address.ts";
import { bytes, milliseconds } from "../../../src/core/units.ts";
import { until } from "../../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "forecourt-fetch-"));
const asked: string[] = [];
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    asked.push(`${request.headers.get("host")} ${pathname}`);
    if (pathname === "/to") return Response.redirect(searchParams.get("url") ?? "", 302);
    if (pathname === "/status")
      return new Response("pixels", { status: Number(searchParams.get("is")), headers: whither(searchParams) });
    if (pathname === "/hops") return hop(Number(searchParams.get("left")));
    if (pathname === "/exact") return new Response("x".repeat(1000));
    if (pathname === "/exact-stream") return new Response(new Blob(["x".repeat(1000)]).stream());
    if (pathname === "/loop") return Response.redirect("/loop", 302);
    if (pathname === "/missing") return new Response("no", { status: 404 });
    if (pathname === "/never") await new Promise(() => {});
    if (pathname === "/drip") return new Response(drip());
    if (pathname === "/big") return new Response("x".repeat(2000));
    if (pathname === "/endless") return new Response(endless());
    return new Response("pixels");
  },
});
afterAll(() => {
  server.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

const whither = (asked: URLSearchParams) => ({ ...(asked.has("to") && { location: asked.get("to") ?? "" }) });
const hop = (left: number) => (left === 0 ? new Response("pixels") : Response.redirect(`/hops?left=${left - 1}`, 302));

/** A body without a length. */
const endless = () =>
  new ReadableStream({
    async pull(controller) {
      controller.enqueue(new TextEncoder().encode("x".repeat(300)));
      await Bun.sleep(1);
    },
  });
const drip = () =>
  new ReadableStream({
    async pull(controller) {
      controller.enqueue(new TextEncoder().encode("x"));
      await Bun.sleep(20);
    },
  });

const here = `http://media.test:${server.port}`;
const names: Resolver = async (host) => {
  const address = { "media.test": "127.0.0.1", "inner.test": "127.0.0.2", "meta.test": "169.254.169.254" }[host];
  if (!address) throw new Error(`${host} was not found`);
  return [{ address, family: 4 }];
};

/** Answers each connection as it is told, after the request came. */
async function rawServer(answer: (socket: Socket) => void) {
  const raw = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  await new Promise<void>((ready) => raw.listen(0, "127.0.0.1", ready));
  const { port } = raw.address() as AddressInfo;
  return {
    url: `http://media.test:${port}/`,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => raw.close(() => done())),
  };
}

let count = 0;
async function get(
  url: string,
  {
    allow = ["127.0.0.1"],
    maxBytes = 1000,
    timeout = 2_000,
    resolver = names,
    signal = new AbortController().signal,
  } = {},
) {
  const to = join(folder, String(count++));
  const limits = { guard: createAddressGuard(allow), maxBytes: bytes(maxBytes), timeout: milliseconds(timeout) };
  await fetchMedia({ url, to, signal }, limits, resolver);
  return readFileSync(to, "utf8");
}
const problem = (type: string, message: RegExp) => ({
  code: "file_download_error",
  problems: [{ type, msg: expect.stringMatching(message) }],
});
const refusals = (url: string, message: RegExp, options: Parameters<typeof get>[1] = {}) =>
  expect(get(url, options)).rejects.toMatchObject(problem("file_download_error", message));

test("a file is fetched from the address that was judged, under the name that was asked", async () => {
  asked.length = 0;
  expect(await get(`${here}/a.png`)).toBe("pixels");
  expect(asked).toEqual([`media.test:${server.port} /a.png`]);
});

test("a name server that changes its answer is asked once", async () => {
  let answers = 0;
  const rebinding: Resolver = async () => [{ address: answers++ === 0 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
  expect(await get(`${here}/a.png`, { resolver: rebinding })).toBe("pixels");
  expect(answers).toBe(1);
});

test("a name with one private address among public ones is refused", async () => {
  const mixed: Resolver = async () => [
    { address: "8.8.8.8", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  await refusals(`${here}/a.png`, /not a public address/, { resolver: mixed, allow: [] });
});

test.each([
  ["loopback", "http://127.0.0.1:1/"],
  ["loopback as a number", "http://2130706433/"],
  ["loopback in octal", "http://0177.0.0.1/"],
  ["loopback in short", "http://127.1/"],
  ["IPv6 loopback", "http://[::1]:1/"],
  ["mapped loopback", "http://[::ffff:127.0.0.1]/"],
  ["metadata", "http://169.254.169.254/latest/"],
  ["a name that leads inside", "http://meta.test/"],
])("%s is refused without a connection", async (_, url) => {
  asked.length = 0;
  await refusals(url, /not a public address \(the operator can allow it/, { allow: [] });
  expect(asked).toEqual([]);
});

test("a redirect is followed to where it may lead", async () => {
  expect(await get(`${here}/to?url=${encodeURIComponent("/a.png")}`)).toBe("pixels");
});

test.each([301, 302, 303, 307, 308])("so is one by status %d", async (status) => {
  expect(await get(`${here}/status?is=${status}&to=/a.png`)).toBe("pixels");
});

test("a status that is no redirect is not followed, and one that is needs to say where to", async () => {
  await refusals(`${here}/status?is=201&to=/a.png`, /the server answered 201$/);
  await refusals(`${here}/status?is=404&to=/a.png`, /the server answered 404$/);
  await refusals(`${here}/status?is=302`, /the server answered 302$/);
});

test("the connection of a redirect is closed, whatever else it would send", async () => {
  let closed = false;
  await using raw = await rawServer((socket) => {
    socket.on("close", () => {
      closed = true;
    });
    socket.write(`HTTP/1.1 302 Found\r\nlocation: ${here}/a.png\r\ntransfer-encoding: chunked\r\n\r\n`);
  });
  expect(await get(raw.url)).toBe("pixels");
  await until(() => closed);
});

test("a redirect to an address inside is refused", async () => {
  await refusals(
    `${here}/to?url=${encodeURIComponent(`http://inner.test:${server.port}/a`)}`,
    /inner.test is not a public/,
  );
  await refusals(`${here}/to?url=${encodeURIComponent("file:///etc/passwd")}`, /only http, https and data URLs/);
});

test("redirects come to an end", async () => {
  expect(await get(`${here}/hops?left=5`)).toBe("pixels");
  await refusals(`${here}/hops?left=6`, /more than 5 redirects/);
  await refusals(`${here}/loop`, /more than 5 redirects/);
});

test.each(["ftp://media.test/a", "file:///etc/passwd", "javascript:1", "not a url", "gopher://media.test/"])(
  "%s is refused",
  async (url) => {
    await refusals(url, /only http, https and data URLs can be read/);
  },
);

test("an error of the other server, a name that is not found and a closed port are told", async () => {
  await refusals(`${here}/missing`, /the server answered 404/);
  await refusals("http://nowhere.test/a", /^Failed to download the file: nowhere.test was not found$/);
  await refusals("http://nowhere.test/a", /nowhere.test has no address/, { resolver: async () => [] });
  await refusals("http://127.0.0.1:9/a", /Failed to download the file: ./);
});

test("a file over the limit is refused, with a length given or without", async () => {
  const tooLarge = problem("file_too_large", /larger than 1000 bytes/);
  await expect(get(`${here}/big`)).rejects.toMatchObject(tooLarge);
  await expect(get(`${here}/endless`)).rejects.toMatchObject(tooLarge);
  expect(await get(`${here}/exact`)).toHaveLength(1000);
  expect(await get(`${here}/exact-stream`)).toHaveLength(1000);
});

test("a file that is announced as too large is refused before any of it comes, and its connection is closed", async () => {
  await using raw = await rawServer((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n"));
  await expect(get(raw.url, { timeout: 60_000 })).rejects.toMatchObject(problem("file_too_large", /1000 bytes/));
});

test("what is fetched is for nobody else on this machine to read", async () => {
  await get(`${here}/a.png`);
  expect(statSync(join(folder, String(count - 1))).mode & 0o777).toBe(0o600);
});

test("a server that does not answer, or for ever, is given up after the time limit", async () => {
  await refusals(`${here}/never`, /longer than 0.1 seconds/, { timeout: 100 });
  await refusals(`${here}/drip`, /longer than 0.1 seconds/, { timeout: 100 });
});

test("a fetch that nobody waits for any more ends", async () => {
  const abort = new AbortController();
  const fetching = get(`${here}/never`, { signal: abort.signal });
  abort.abort(new Error("cancelled"));
  await expect(fetching).rejects.toThrow("cancelled");
});

test("a host that the operator trusts may lead inside", async () => {
  expect(await get(`${here}/a.png`, { allow: ["media.test"] })).toBe("pixels");
});

test.skipIf(!Bun.which("openssl"))(
  "with https the certificate is checked for the name, not for the address",
  async () => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const make = [
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      key,
    ];
    Bun.spawnSync([
      ...make,
      "-out",
      cert,
      "-days",
      "1",
      "-subj",
      "/CN=media.test",
      "-addext",
      "subjectAltName=DNS:media.test",
    ]);
    using secure = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      tls: { key: Bun.file(key), cert: Bun.file(cert) },
      fetch: () => new Response("pixels"),
    });
    const script = `
    const { fetchMedia } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/control/storage/fetch-media.ts"))});
    const guard = { isTrustedHost: () => true, isAllowed: () => true };
    const resolver = async () => [{ address: "127.0.0.1", family: 4 }];
    for (const host of ["media.test", "other.test"]) {
      const url = "https://" + host + ":${secure.port}/a";
      await fetchMedia({ url, to: ${JSON.stringify(join(folder, "tls"))}, signal: new AbortController().signal }, { guard, maxBytes: 1000, timeout: 2000 }, resolver)
        .then(() => console.log(host, "fetched"), (error) => console.log(host, error.message));
    }`;
    const child = Bun.spawn([process.execPath, "-e", script], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: cert },
      stdout: "pipe",
    });
    const [good, bad] = (await new Response(child.stdout).text()).trim().split("\n");
    expect(good).toBe("media.test fetched");
    expect(bad).toMatch(/^other.test Failed to download the file: .*(certificate|ALTNAME|hostname)/i);
  },
);
