// Uploads and downloads over HTTP: the three dialects, by path and by host name, and what callers should not get away with.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { proved } from "../../support/conformance.ts";
import { type Ask, createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const json = async (response: Response | Promise<Response>) => {
  const settled = await response;
  expect(settled.status).toBe(200);
  return await settled.json();
};
const anyone = (method: string, url: string, ask: Ask = {}) => gateway.ask(method, url, { key: "", ...ask });

const initiate = (body: unknown = { file_name: "a.png", content_type: "image/png" }, ask: Ask = {}) =>
  json(gateway.ask("POST", "/rest/storage/upload/initiate?storage_type=fal-cdn-v3", { body, ...ask }));

const LIFECYCLE = "x-fal-object-lifecycle";
const uploaded = async (content: string, lifecycle: object = {}): Promise<string> => {
  const { upload_url, file_url } = await initiate(undefined, { headers: { [LIFECYCLE]: JSON.stringify(lifecycle) } });
  expect((await anyone("PUT", upload_url, { body: content })).status).toBe(200);
  return file_url;
};

describe("JavaScript's dialect", () => {
  test("initiate, PUT without a key, read without a key", async () => {
    const { upload_url, file_url } = await initiate();
    expect(upload_url).toMatch(/^http:\/\/localhost\/cdn\/uploads\/[\w-]{22}$/);
    expect(file_url).toMatch(/^http:\/\/localhost\/cdn\/files\/b\/[\w-]{22}\/a\.png$/);
    expect(upload_url).not.toContain(file_url.split("/").at(-2));
    expect((await anyone("GET", file_url)).status).toBe(404);
    expect((await anyone("PUT", upload_url, { body: "content" })).status).toBe(200);
    const response = await anyone("GET", file_url);
    expect(await response.text()).toBe("content");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "image/png",
      "cache-control": "private, max-age=86400, immutable",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "access-control-allow-origin": "*",
    });
  });

  test("a Key header at the upload URL is tolerated, even a wrong one", async () => {
    for (const key of [gateway.apiKey, "nobody:nothing"]) {
      const { upload_url } = await initiate();
      expect((await gateway.ask("PUT", upload_url, { key, body: "x" })).status).toBe(200);
    }
  });

  test("parts, with the query string that a client may add, in any order", async () => {
    const { upload_url, file_url } = await json(
      gateway.ask("POST", "/rest/storage/upload/initiate-multipart?storage_type=fal-cdn-v3", {
        body: { file_name: "b.bin", content_type: "application/octet-stream" },
      }),
    );
    const parts = [];
    for (const [number, body] of [
      [2, "world"],
      [1, "hello "],
    ]) {
      const response = await anyone("PUT", `${upload_url}/${number}?x=1`, { body });
      const part = await json(response);
      expect(part).toEqual({ partNumber: number, etag: expect.any(String) });
      expect(response.headers.get("etag")).toBe(`"${part.etag}"`);
      parts.push(part);
    }
    expect((await anyone("GET", file_url)).status).toBe(404);
    await json(anyone("POST", `${upload_url}/complete?x=1`, { body: { parts } }));
    expect(await (await anyone("GET", file_url)).text()).toBe("hello world");
  });

  test.each([
    { parts: [] },
    { parts: [{ partNumber: 1 }] },
    { parts: [{ partNumber: 0, etag: "x" }] },
    { parts: "all" },
    {},
  ])("an end with %j is wrong input", async (body) => {
    const { upload_url } = await initiate();
    expect((await anyone("POST", `${upload_url}/complete`, { body })).status).toBe(422);
  });

  test("storage_type=gcs, which Python falls back to, is the same", async () => {
    const body = { file_name: "c.txt", content_type: "text/plain" };
    const response = gateway.ask("POST", "/rest/storage/upload/initiate?storage_type=gcs", { body });
    const { upload_url, file_url } = await json(response);
    expect((await gateway.ask("PUT", upload_url, { body: "gcs" })).status).toBe(200);
    expect(await (await anyone("GET", file_url)).text()).toBe("gcs");
  });
});

describe("Python's dialect", () => {
  const bearer = async () => {
    const { token, token_type } = await json(gateway.ask("POST", "/rest/storage/auth/token", { body: {} }));
    return { authorization: `${token_type} ${token}` };
  };

  test("one POST with the CDN's token, by path and by host name", async () => {
    for (const root of ["http://localhost/cdn", "https://v3.fal.media", "https://v3b.fal.media"]) {
      const headers = { ...(await bearer()), "content-type": "text/plain", "x-fal-file-name": "note.txt" };
      const { access_url } = await json(anyone("POST", `${root}/files/upload`, { headers, body: "hi" }));
      expect(access_url).toMatch(new RegExp(`^${root}/files/b/[\\w-]{22}/note\\.txt$`));
      expect(await (await anyone("GET", access_url)).text()).toBe("hi");
    }
  });

  test("parts: the etag of the header counts as it is, the names come in the order of completion", async () => {
    const headers = { ...(await bearer()), "content-type": "image/png", "x-fal-file-name": "big.png" };
    const begun = await json(anyone("POST", "/cdn/files/upload/multipart", { headers }));
    const url = `${begun.access_url}/multipart/${begun.uploadId}`;
    const parts = [];
    for (const [number, body] of [
      [3, "c"],
      [1, "a"],
      [2, "b"],
    ]) {
      const response = await anyone("PUT", `${url}/${number}`, { headers, body });
      parts.push({ partNumber: number, etag: response.headers.get("etag") });
    }
    await json(anyone("POST", `${url}/complete`, { headers, body: { parts } }));
    expect(await (await anyone("GET", begun.access_url)).text()).toBe("abc");
  });

  test("needs a key or a token", async () => {
    for (const path of ["/cdn/files/upload", "/cdn/files/upload/multipart"]) {
      expect((await anyone("POST", path, { body: "x" })).status).toBe(401);
      expect((await anyone("POST", path, { headers: { authorization: "Bearer a.b.c" }, body: "x" })).status).toBe(401);
      expect((await gateway.ask("POST", path, { body: "x" })).status).toBe(200);
    }
  });

  test("a file name is what it is in UTF-8", async () => {
    const name = Buffer.from("Grüße.txt").toString("latin1");
    const { access_url } = await json(
      gateway.ask("POST", "/cdn/files/upload", { headers: { "x-fal-file-name": name }, body: "x" }),
    );
    const response = await anyone("GET", access_url);
    expect(response.headers.get("content-disposition")).toContain("Gr%C3%BC%C3%9Fe.txt");
  });
});

describe("the ways in", () => {
  test("by fal's host name the URLs stay among fal's host names", async () => {
    const body = { file_name: "a.txt", content_type: "text/plain" };
    const response = gateway.ask("POST", "https://rest.fal.ai/storage/upload/initiate?storage_type=gcs", { body });
    const { upload_url, file_url } = await json(response);
    expect(upload_url).toStartWith("https://v3.fal.media/uploads/");
    expect((await anyone("PUT", upload_url, { body: "dns" })).status).toBe(200);
    expect(await (await anyone("GET", file_url)).text()).toBe("dns");
  });

  test("through the proxy route bytes arrive as they are", async () => {
    const headers = { "x-fal-target-url": "https://v3.fal.media/files/upload", "content-type": "image/png" };
    const content = Uint8Array.from({ length: 256 }, (_, at) => at);
    const request = new Request("http://localhost/fal/proxy", {
      method: "POST",
      headers: { ...headers, authorization: `Key ${gateway.apiKey}` },
      body: content,
    });
    const { access_url } = await json(gateway.app.handle(request));
    expect(access_url).toStartWith("http://localhost/cdn/files/b/");
    expect(new Uint8Array(await (await anyone("GET", access_url)).arrayBuffer())).toEqual(content);
  });

  test("output files are read under the CDN's name too", async () => {
    const token = gateway.saveFile("a.txt", "output");
    for (const root of ["https://v3.fal.media", "http://localhost/cdn"])
      expect(await (await anyone("GET", `${root}/files/${token}/a.txt`)).text()).toBe("output");
  });
});

describe("who may read", () => {
  const as = (key: string, url: string) => gateway.ask("GET", url, { key });

  test("forbid says so, hide does not; the owner and admins may, others by rule", async () => {
    const friend = gateway.keys.create({ name: "friend", scope: "api" });
    const stranger = gateway.keys.create({ name: "stranger", scope: "api" }).secret;
    const rules = [{ user: friend.key.id, decision: "allow" }];
    for (const [decision, status] of [
      ["forbid", 403],
      ["hide", 404],
    ] as const) {
      const url = await uploaded("private", { initial_acl: { default: decision, rules } });
      expect((await anyone("GET", url)).status).toBe(status);
      expect((await as(stranger, url)).status).toBe(status);
      expect((await as("nobody:nothing", url)).status).toBe(status);
      for (const key of [gateway.apiKey, gateway.adminKey, friend.secret]) {
        const response = await as(key, url);
        expect(await response.text()).toBe("private");
        expect(response.headers.get("cache-control")).toBe("private, no-store");
      }
    }
  });

  test("the CDN's token reads what its key may read", async () => {
    const url = await uploaded("private", { initial_acl: { default: "hide", rules: [] } });
    const { token } = await json(gateway.ask("POST", "/rest/storage/auth/token", { body: {} }));
    const response = await anyone("GET", url, { headers: { authorization: `Bearer ${token}` } });
    expect(await response.text()).toBe("private");
  });

  test("a signed URL reads this one file, until its key ends", async () => {
    const { key, secret } = gateway.keys.create({ name: "signer", scope: "api" });
    const lifecycle = JSON.stringify({ initial_acl: { default: "forbid" } });
    const headers = { [LIFECYCLE]: lifecycle };
    const make = () =>
      json(gateway.ask("POST", "/cdn/files/upload", { key: secret, headers, body: "signed" })).then(
        ({ access_url }) => access_url,
      );
    const [url, other] = [await make(), await make()];
    const response = await gateway.ask("POST", `${url}/sign`, { key: secret, body: { duration: 60, scope: ["read"] } });
    const signed = await response.text();
    expect(signed).toStartWith(`${url}?identity=`);
    expect(await (await anyone("GET", signed)).text()).toBe("signed");
    expect((await anyone("GET", other + new URL(signed).search)).status).toBe(403);
    expect((await anyone("GET", signed.slice(0, -3))).status).toBe(403);
    gateway.keys.revoke(key.id);
    expect((await anyone("GET", signed)).status).toBe(403);
    proved("http", "signed-url");
  });

  test("only the owner and admins sign", async () => {
    const url = await uploaded("x");
    const stranger = gateway.keys.create({ name: "stranger", scope: "api" }).secret;
    expect((await gateway.ask("POST", `${url}/sign`, { key: stranger, body: {} })).status).toBe(404);
    expect((await anyone("POST", `${url}/sign`, { body: {} })).status).toBe(401);
    expect((await gateway.ask("POST", `${url}/sign`, { key: gateway.adminKey })).status).toBe(200);
    expect((await gateway.ask("POST", `${url}/sign`, { body: { duration: 604_801 } })).status).toBe(422);
  });

  test("a file with a lifetime is cached no longer than that", async () => {
    const response = await anyone("GET", await uploaded("x", { expiration_duration_seconds: 60 }));
    const [, age] = /max-age=(\d+)/.exec(response.headers.get("cache-control") ?? "") ?? [];
    expect(Number(age)).toBeWithin(50, 61);
  });
});

describe("hostile callers", () => {
  test("content sent twice is refused when it differs", async () => {
    const { upload_url, file_url } = await initiate();
    expect((await anyone("PUT", upload_url, { body: "one" })).status).toBe(200);
    expect((await anyone("PUT", upload_url, { body: "one" })).status).toBe(200);
    expect((await anyone("PUT", upload_url, { body: "two" })).status).toBe(400);
    expect(await (await anyone("GET", file_url)).text()).toBe("one");
  });

  test("the file's own URL is no right to write", async () => {
    const url = await uploaded("mine");
    const token = url.split("/").at(-2);
    expect((await anyone("PUT", url, { body: "yours" })).status).toBe(405);
    expect((await anyone("PUT", `/cdn/uploads/${token}`, { body: "yours" })).status).toBe(404);
    expect((await anyone("PUT", `${url}/multipart/${token}/1`, { body: "yours" })).status).toBe(404);
    expect(await (await anyone("GET", url)).text()).toBe("mine");
  });

  test.each([
    ["PUT", "/cdn/uploads/AAAAAAAAAAAAAAAAAAAAAA"],
    ["PUT", "/cdn/uploads/AAAAAAAAAAAAAAAAAAAAAA/1"],
    ["PUT", "/cdn/uploads/..%2f..%2fforecourt.sqlite"],
    ["PUT", "/cdn/uploads/AAAAAAAAAAAAAAAAAAAAAA/../../x"],
    ["GET", "/cdn/files/b/AAAAAAAAAAAAAAAAAAAAAA/a.png"],
    ["GET", "/cdn/files/b/AAAAAAAAAAAAAAAAAAAAAA/..%2f..%2fforecourt.sqlite"],
    ["GET", "/cdn/files/b/.new/x"],
    ["GET", "/cdn/files/b/../../forecourt.sqlite"],
    ["GET", "/cdn/"],
    ["GET", "/cdn/files/"],
    ["GET", "/cdn/files/b/%00/%ff"],
  ])("%s %s leads nowhere", async (method, path) => {
    const response = await anyone(method, `http://localhost${path}`, method === "PUT" ? { body: "x" } : {});
    expect(response.status).toBe(404);
  });

  test.each(["not json", "[]", '{"expiration_duration_seconds":-5}'])(
    "a lifecycle of %p is told",
    async (lifecycle) => {
      const headers = { [LIFECYCLE]: lifecycle };
      for (const path of ["/rest/storage/upload/initiate", "/cdn/files/upload"]) {
        const response = await gateway.ask("POST", path, { headers, body: {} });
        expect(response.status).toBe(400);
        expect((await response.json()).detail).toContain("lifecycle");
      }
    },
  );

  test("names that try to be paths or headers stay names", async () => {
    const { upload_url, file_url } = await initiate({
      file_name: "../../../etc/cron.d/x\r\nset-cookie: a=b",
      content_type: "text/html\r\nx-evil: 1",
    });
    expect(file_url).toEndWith("/xset-cookie_a_b");
    await anyone("PUT", upload_url, { body: "<script>" });
    const { headers } = await anyone("GET", file_url);
    expect(headers.get("content-type")).toBe("application/octet-stream");
    expect(headers.has("x-evil")).toBe(false);
    expect(headers.has("set-cookie")).toBe(false);
  });
});
