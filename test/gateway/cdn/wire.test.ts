// Uploads on a real port: clients that leave, lie about lengths or send no bytes at all.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sendRaw } from "../../support/raw-request.ts";
import { createTestGateway, type TestGateway } from "../../support/test-gateway.ts";

let gateway: TestGateway;
let port: number;
const stop = new AbortController();
beforeAll(async () => {
  gateway = await createTestGateway();
  port = gateway.listen({ host: "127.0.0.1", port: 0, signal: stop.signal }).port;
});
afterAll(async () => {
  stop.abort();
  await gateway[Symbol.asyncDispose]();
});

async function begin() {
  const body = { file_name: "a.txt", content_type: "text/plain" };
  const response = await gateway.ask("POST", `http://127.0.0.1:${port}/rest/storage/upload/initiate`, { body });
  const { upload_url, file_url } = await response.json();
  return { put: `PUT ${new URL(upload_url).pathname} HTTP/1.1\r\nHost: 127.0.0.1\r\n`, upload_url, file_url };
}
const statusOf = (answer: string) => Number(answer.split(" ")[1]);

describe("a PUT", () => {
  test("without a body is an empty file", async () => {
    const { put, file_url } = await begin();
    expect(statusOf(await sendRaw(port, [`${put}Content-Length: 0\r\n\r\n`]))).toBe(200);
    const response = await fetch(file_url);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  test("in chunks is joined", async () => {
    const { put, file_url } = await begin();
    const answer = await sendRaw(port, [
      `${put}Transfer-Encoding: chunked\r\n\r\n`,
      "3\r\nabc\r\n",
      "2\r\nde\r\n0\r\n\r\n",
    ]);
    expect(statusOf(answer)).toBe(200);
    expect(await (await fetch(file_url)).text()).toBe("abcde");
  });

  test.each([
    ["with less than it announced", "Content-Length: 100\r\n\r\nshort"],
    ["whose chunks break off", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
  ])("%s, by a client that leaves, makes no file and can be sent again", async (_, rest) => {
    const { put, upload_url, file_url } = await begin();
    await sendRaw(port, [put + rest], { hangUp: true });
    expect((await fetch(file_url)).status).toBe(404);
    expect((await fetch(upload_url, { method: "PUT", body: "whole" })).status).toBe(200);
    expect(await (await fetch(file_url)).text()).toBe("whole");
  });

  test("with more than it announced is what it announced", async () => {
    const { put, file_url } = await begin();
    expect(statusOf(await sendRaw(port, [`${put}Connection: close\r\nContent-Length: 3\r\n\r\nabcdef`]))).toBe(200);
    expect(await (await fetch(file_url)).text()).toBe("abc");
  });
});
