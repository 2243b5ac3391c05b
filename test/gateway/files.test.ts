import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { proved } from "../support/conformance.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

let gateway: TestGateway;
let url: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  url = `/files/${gateway.saveFile("image_0.png", "0123456789")}/image_0.png`;
});
afterAll(() => gateway[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  gateway.ask(method, path, { key: "", headers });

describe("a file", () => {
  test("is readable by whoever has its URL, and cannot act as a page", async () => {
    const response = await get(url);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("0123456789");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "image/png",
      "content-length": "10",
      "accept-ranges": "bytes",
      "cache-control": expect.stringContaining("immutable"),
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "content-disposition": expect.stringMatching(/^inline;.*image_0\.png$/),
      "access-control-allow-origin": "*",
    });
  });

  test("HEAD says the same without the content", async () => {
    const response = await get(url, {}, "HEAD");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect(response.headers.get("content-length")).toBe("10");
    expect(response.headers.get("content-type")).toBe("image/png");
  });

  test.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=8-", "89", "bytes 8-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-50", "0123456789", "bytes 0-9/10"],
    ["bytes=5-500", "56789", "bytes 5-9/10"],
  ])("the range %s is %p", async (range, content, header) => {
    const response = await get(url, { range });
    expect(response.status).toBe(206);
    expect(await response.text()).toBe(content);
    expect(response.headers.get("content-range")).toBe(header);
    expect(response.headers.get("content-length")).toBe(String(content.length));
    expect(response.headers.get("content-type")).toBe("image/png");
  });

  test("says when it came, and is not sent again to who has it since", async () => {
    const { headers } = await get(url);
    const modified = headers.get("last-modified") ?? "";
    expect(Date.parse(modified)).toBeWithin(Date.now() - 600_000, Date.now() + 1000);
    const later = new Date(Date.parse(modified) + 5000).toUTCString();
    const earlier = new Date(Date.parse(modified) - 5000).toUTCString();
    const status = async (given: Record<string, string>) => (await get(url, given)).status;
    expect([await status({ "if-modified-since": modified }), await status({ "if-modified-since": later })]).toEqual([
      304, 304,
    ]);
    expect(await status({ "if-modified-since": earlier })).toBe(200);
    expect(await status({ "if-modified-since": "no date" })).toBe(200);
    // A tag says more than a time.
    expect(await status({ "if-none-match": '"other"', "if-modified-since": later })).toBe(200);
    expect([
      await status({ "if-unmodified-since": modified }),
      await status({ "if-unmodified-since": earlier }),
    ]).toEqual([200, 412]);
    const range = { range: "bytes=0-3" };
    expect(await status({ ...range, "if-range": modified })).toBe(206);
    expect(await status({ ...range, "if-range": earlier })).toBe(200);
  });

  test.each(["bytes=10-", "bytes=99-100", "bytes=-0"])("the range %s cannot be satisfied", async (range) => {
    const response = await get(url, { range });
    expect(response.status).toBe(416);
    expect(response.headers.get("content-range")).toBe("bytes */10");
  });

  test.each(["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b", `bytes=0-${"9".repeat(400)}`])(
    "the range %s is ignored",
    async (range) => {
      const response = await get(url, { range });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("0123456789");
    },
  );

  test("is not sent again to who has it", async () => {
    const etag = (await get(url)).headers.get("etag") ?? "";
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const response = await get(url, { "if-none-match": known });
      expect(response.status).toBe(304);
      expect(await response.text()).toBe("");
    }
    expect((await get(url, { "if-none-match": '"other"' })).status).toBe(200);
    expect((await get(url, { range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await get(url, { range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
    expect((await get(url, { "if-match": '"other"' })).status).toBe(412);
    expect((await get(url, { "if-match": etag })).status).toBe(200);
    proved("http", "range");
  });

  test.each([
    "/files/",
    "/files/../forecourt.sqlite",
    "/files/%2e%2e/forecourt.sqlite",
    "/files/%2e%2e%2fforecourt.sqlite",
    "TOKEN",
    "TOKEN/",
    "TOKEN/..",
    "TOKEN/%2e%2e%2f%2e%2e%2fforecourt.sqlite",
    "TOKEN/..%5c..%5cforecourt.sqlite",
    "TOKEN/image_0.png/",
    "TOKEN/image_0.png/more",
    "TOKEN//image_0.png",
    "TOKEN/image_0.png%00.txt",
    "TOKEN/%",
    "TOKEN/%ff",
    "TOKEN/.hidden",
    "TOKEN/other.png",
    "/files/AAAAAAAAAAAAAAAAAAAAAA/image_0.png",
  ])("%s leads nowhere", async (path) => {
    const token = url.slice(0, url.lastIndexOf("/"));
    // As a whole URL text, so that nothing on the way tidies the path up.
    const response = await get(`http://localhost${path.replace("TOKEN", token)}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ detail: expect.any(String) });
  });

  test("the folder above them is the box's bare address", async () => {
    const response = await get("http://localhost/files/..");
    expect([response.status, response.headers.get("location")]).toEqual([302, "swagger"]);
  });

  test("other methods are refused", async () => {
    const response = await get(url, {}, "DELETE");
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });
});
