import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import type { Listening } from "../../src/gateway/listen.ts";
import { createTestGateway, type TestGateway } from "../support/test-gateway.ts";

const IDLE_SECONDS = 1;
/** The server looks at idle connections every four seconds. */
const SURELY_IDLE_MS = 4_000 + 1_500;

let gateway: TestGateway;
let listening: Listening;
const stop = new AbortController();
beforeAll(async () => {
  gateway = await createTestGateway({ keepAliveMs: 50 });
  gateway.holdRuns();
  listening = gateway.listen({ host: "127.0.0.1", port: 0, signal: stop.signal, idleSeconds: IDLE_SECONDS });
});
afterAll(async () => {
  stop.abort();
  await listening.closed;
  await gateway[Symbol.asyncDispose]();
});

const call = (method: string, path: string, { body, signal }: { body?: unknown; signal?: AbortSignal } = {}) =>
  fetch(`http://127.0.0.1:${listening.port}${path}`, {
    method,
    headers: { authorization: `Key ${gateway.apiKey}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });

/** Sends bytes as they are; resolves with all that came back when the connection ends, or when `enough` of it did. */
const raw = (send: string, enough: (received: string) => boolean = () => false) =>
  new Promise<string>((resolve, reject) => {
    let received = "";
    const socket = connect(listening.port, "127.0.0.1", () => socket.write(send));
    socket.on("data", (data) => {
      received += data;
      if (enough(received)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });

const endOf = async (id: string | undefined) => {
  const job = gateway.jobs.open().find((each) => id === undefined || each.id === id);
  if (!job) throw new Error("there is no such open job");
  return (await Array.fromAsync(gateway.jobs.watch(job.id, AbortSignal.timeout(60_000)))).at(-1);
};
const cancelled = { type: "finished", job: { status: "cancelled" } };

describe("on a real port", () => {
  test("a taken port is told in a sentence that says what to do", () => {
    const again = () => gateway.listen({ host: "127.0.0.1", port: listening.port, signal: stop.signal });
    expect(again).toThrow(/^Port \d+ on 127\.0\.0\.1 is taken by another program\. .*--port/);
  });

  test("a run that is silent for longer than connections may be idle gets its answer", async () => {
    // By GET: a request with a body is not cut off by this version of the server anyway.
    const answer = call("GET", "/run/forecourt/echo?prompt=slow");
    const run = await gateway.nextRun();
    await Bun.sleep(SURELY_IDLE_MS); // the time itself is what is tested
    run.finish({ prompt: "slow", steps: 1 });
    expect(await (await answer).json()).toEqual({ prompt: "slow", steps: 1 });
  }, 60_000);

  test("a body that stops coming is cut off", async () => {
    const head = `POST /run/forecourt/echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Key ${gateway.apiKey}\r\n`;
    const received = await raw(`${head}Content-Length: 1000\r\n\r\n{"prompt":`);
    expect(received).not.toContain("HTTP/1.1 200");
    expect(gateway.jobs.open()).toEqual([]);
  });

  const nameHost = (host: string, version = "1.1") =>
    raw(
      `GET /run/forecourt/echo/nowhere HTTP/${version}\r\n${host}Authorization: Key ${gateway.apiKey}\r\nConnection: close\r\n\r\n`,
    );

  test.each(["gpu", "a", "a:8080", "box.example.org", "[::1]:3250", "10.0.0.7"])(
    "a box that is called %s finds its routes",
    async (host) => {
      const received = await nameHost(`Host: ${host}\r\n`);
      expect(received).toStartWith("HTTP/1.1 404");
      expect(received).toContain('"Path /nowhere not found"');
    },
  );

  test("and its URLs lead back to that name", async () => {
    const answer = await raw(
      `POST /queue/forecourt/echo HTTP/1.1\r\nHost: gpu\r\nAuthorization: Key ${gateway.apiKey}\r\n` +
        `Connection: close\r\nContent-Length: 15\r\n\r\n{"prompt":"hi"}`,
    );
    (await gateway.nextRun()).finish({ prompt: "hi", steps: 1 });
    expect(answer).toContain('"status_url":"http://gpu/queue/forecourt/echo/requests/');
  });

  test.each(["", "Host:\r\n"])("so does a client of HTTP/1.0 that names no host (%j)", async (host) => {
    expect(await nameHost(host, "1.0")).toContain('"Path /nowhere not found"');
  });

  test.each(["[::1", "[", "gpu:99999", "gpu:port", ":80", "%", "1.2.3.4.5", "fal.run:99999"])(
    "a host that there cannot be is refused, not stumbled over: %s",
    async (host) => {
      const received = await nameHost(`Host: ${host}\r\n`);
      expect(received).toStartWith("HTTP/1.1 400");
      expect(received).toContain('"error_type":"bad_request"');
      expect(received.toLowerCase()).toContain("x-fal-request-id: ");
    },
  );

  test("a client that sends its headers byte by byte is cut off, however busy it keeps the line", async () => {
    const closed = Promise.withResolvers<number>();
    const begun = performance.now();
    const socket = connect(listening.port, "127.0.0.1", () =>
      socket.write("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "),
    );
    const drip = setInterval(() => socket.write("a"), 200);
    socket.on("close", () => closed.resolve(performance.now() - begun));
    socket.on("error", () => {}); // a byte that was under way when the line was cut
    const patience = setTimeout(() => closed.resolve(Number.POSITIVE_INFINITY), 30_000);
    const lasted = await closed.promise;
    clearInterval(drip);
    clearTimeout(patience);
    socket.destroy();
    expect(lasted).toBeLessThan(25_000);
  }, 40_000);

  test.each([
    ["an announced length", "Content-Length: 90000000000\r\n\r\n{"],
    ["endless chunks", `Transfer-Encoding: chunked\r\n\r\n${`100000\r\n${"x".repeat(1 << 20)}\r\n`.repeat(20)}`],
  ])("a body beyond the limit by %s is refused before its end", async (_, body) => {
    const head = `POST /run/forecourt/echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Key ${gateway.apiKey}\r\n`;
    const received = await raw(head + body, (text) => text.includes("Send large files by URL"));
    expect(received).toStartWith("HTTP/1.1 413");
    expect(received.toLowerCase()).toContain("x-fal-request-id: ");
  });

  test("bytes that are not HTTP harm nobody", async () => {
    for (const junk of [
      "\u0000\u0001\u0002\r\n\r\n",
      "GET\r\n\r\n",
      "POST / HTTP/9.9\r\n\r\n",
      `GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`,
    ])
      await raw(junk, (text) => text.includes("\r\n\r\n")).catch((error: Error) => error.message);
    expect((await call("GET", "/health")).status).toBe(200);
  });

  test("a caller who hangs up takes the sync run along", async () => {
    const caller = new AbortController();
    const answer = call("POST", "/run/forecourt/echo", { body: { prompt: "bye" }, signal: caller.signal });
    const hungUp = answer.catch((error: Error) => error.name);
    await gateway.nextRun();
    const end = endOf(undefined);
    caller.abort();
    expect(await hungUp).toBe("AbortError");
    expect(await end).toMatchObject(cancelled);
  });

  test("a caller who hangs up takes the streamed run along", async () => {
    const caller = new AbortController();
    const answer = call("POST", "/run/forecourt/echo/stream", { body: { prompt: "bye" }, signal: caller.signal });
    await gateway.nextRun();
    await (await answer).body?.getReader().read();
    const end = endOf(undefined);
    caller.abort();
    expect(await end).toMatchObject(cancelled);
  });

  test("a caller who hangs up on a status stream leaves the request alone", async () => {
    const { request_id: id } = await (await call("POST", "/queue/forecourt/echo", { body: { prompt: "on" } })).json();
    const run = await gateway.nextRun();
    const caller = new AbortController();
    const response = await call("GET", `/queue/forecourt/echo/requests/${id}/status/stream`, { signal: caller.signal });
    await response.body?.getReader().read();
    const end = endOf(id);
    caller.abort();
    run.finish({});
    expect(await end).toMatchObject({ job: { status: "done" } });
  });

  test("HEAD of a file tells its length", async () => {
    const token = gateway.saveFile("a.txt", "hello");
    const response = await call("HEAD", `/files/${token}/a.txt`);
    expect(response.headers.get("content-length")).toBe("5");
    const part = await fetch(`http://127.0.0.1:${listening.port}/files/${token}/a.txt`, {
      headers: { range: "bytes=1-2" },
    });
    expect([part.status, await part.text(), part.headers.get("content-range")]).toEqual([206, "el", "bytes 1-2/5"]);
  });

  test("nothing of this was logged as trouble", () => {
    expect(gateway.logged.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });
});

test("stopping lets what is under way end, and takes nothing new", async () => {
  await using gateway = await createTestGateway();
  gateway.holdRuns();
  const stop = new AbortController();
  const { port, closed } = gateway.listen({ host: "127.0.0.1", port: 0, signal: stop.signal });
  const url = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Key ${gateway.apiKey}` };
  const answer = fetch(`${url}/run/forecourt/echo`, { method: "POST", headers, body: '{"prompt":"last"}' });
  const run = await gateway.nextRun();
  stop.abort();
  await expect(fetch(`${url}/health`)).rejects.toThrow();
  run.finish({ prompt: "last", steps: 1 });
  expect(await (await answer).json()).toEqual({ prompt: "last", steps: 1 });
  await closed;
});
