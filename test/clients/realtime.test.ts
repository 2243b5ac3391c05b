// fal.realtime of the official client, whose socket is led here the only way there is without DNS: by globalThis.WebSocket.
// What fal-js's own realtime.spec.ts expects of a mock is expected of the box.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { ApiError, createFalClient, type FalClient } from "@fal-ai/client";
import { decode } from "@msgpack/msgpack";
import { proved } from "../support/conformance.ts";
import { connect } from "../support/socket-client.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

const ECHO = "test/echo/idle";
const BrowserSocket = globalThis.WebSocket;
let server: ServerUnderTest;
let opened: string[] = [];
let fetched: string[] = [];

beforeAll(async () => {
  server = await serverUnderTest();
  const here = server.origin.replace(/^http/, "ws");
  globalThis.WebSocket = class extends BrowserSocket {
    constructor(url: string | URL, options?: string | string[]) {
      opened.push(String(url));
      super(String(url).replace("wss://fal.run/", `${here}/run/`), options);
    }
  };
}, 60_000);
afterAll(async () => {
  globalThis.WebSocket = BrowserSocket;
  await server[Symbol.asyncDispose]();
});

let warned: ReturnType<typeof spyOn>;
beforeEach(() => {
  opened = [];
  fetched = [];
  // The client says at each connection that its default way to a token is old.
  warned = spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => warned.mockRestore());

const client = (credentials = server.key): FalClient =>
  createFalClient({
    credentials,
    fetch: Object.assign((url: string | URL | Request, init?: RequestInit) => {
      fetched.push(String(url));
      return fetch(String(url).replace("https://rest.fal.ai/", `${server.origin}/rest/`), init);
    }, fetch),
  });

type Result = Record<string, unknown>;
type Handler = Partial<Parameters<FalClient["realtime"]["connect"]>[1]>;

/** A connection whose results and errors are taken one by one, in order. */
function connection(options: Handler = {}, { app = ECHO, fal = client() } = {}) {
  const queue = (items: unknown[] = [], takers: ((item: unknown) => void)[] = []) => ({
    put(item: unknown) {
      const taker = takers.shift();
      if (taker) taker(item);
      else items.push(item);
    },
    next: (): Promise<unknown> =>
      items.length > 0 ? Promise.resolve(items.shift()) : new Promise((resolve) => takers.push(resolve)),
  });
  const [results, errors] = [queue(), queue()];
  const { send, close } = fal.realtime.connect(app, {
    throttleInterval: 0,
    connectionKey: crypto.randomUUID(),
    onResult: results.put,
    onError: errors.put,
    ...options,
  });
  return {
    send,
    close,
    result: () => results.next() as Promise<Result>,
    error: () => errors.next() as Promise<ApiError<unknown>>,
  };
}

const tokenOf = async (body: unknown): Promise<string> => {
  const headers = { authorization: `Key ${server.key}` };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  return (await (await fetch(`${server.origin}/rest/tokens/realtime`, request)).json()).token;
};

describe("fal.realtime", () => {
  test("fetches a token by itself, sends MessagePack and gets its results with their request_id, in order", async () => {
    const { send, result, close } = connection();
    send({ prompt: "one", request_id: "1" });
    expect(await result()).toEqual({ prompt: "one", steps: 1, request_id: "1" });
    send({ prompt: "two", request_id: "2" });
    send({ prompt: "three", request_id: "3" });
    expect([await result(), await result()]).toMatchObject([{ request_id: "2" }, { request_id: "3" }]);
    expect(fetched).toEqual(["https://rest.fal.ai/tokens/"]);
    expect(opened).toEqual([expect.stringMatching(/^wss:\/\/fal\.run\/test\/echo\/idle\/realtime\?fal_jwt_token=/)]);
    close();
    proved("js", "realtime");
  });

  test("takes a token of a provider, which is asked for the whole path, and passes max_buffering on", async () => {
    const asked: string[] = [];
    const tokenProvider = async (app: string) => {
      asked.push(app);
      return await tokenOf({ allowed_apps: [app], duration: 60 });
    };
    const { send, result, close } = connection({ tokenProvider, tokenExpirationSeconds: 60, maxBuffering: 3 });
    send({ prompt: "by provider" });
    expect(await result()).toMatchObject({ prompt: "by provider" });
    expect(asked).toEqual([`${ECHO}/realtime`]);
    expect(fetched).toEqual([]);
    expect(opened[0]).toEndWith("&max_buffering=3");
    close();
    proved("js", "realtime-token");
  });

  test("a token of the provider is renewed before its time, and the connection lives on", async () => {
    let asked = 0;
    const tokenProvider = async (app: string) => {
      asked++;
      return await tokenOf({ app, duration: 60 });
    };
    const renewals = Promise.withResolvers<void>();
    const counted = async (app: string) => {
      const token = await tokenProvider(app);
      if (asked === 2) renewals.resolve();
      return token;
    };
    const { send, result, close } = connection({ tokenProvider: counted, tokenExpirationSeconds: 1 });
    send({ prompt: "before" });
    await result();
    await renewals.promise;
    send({ prompt: "after" });
    expect(await result()).toMatchObject({ prompt: "after" });
    expect(opened).toHaveLength(1);
    close();
  });

  test("opens nothing when the provider fails, and hears Unauthorized for a token of another app or of nobody", async () => {
    const failing = connection({ tokenProvider: async () => Promise.reject(new Error("no token")) });
    failing.send({ prompt: "never" });
    const foreign = await tokenOf({ allowed_apps: ["other/app"], duration: 60 });
    for (const token of ["nonsense", foreign]) {
      let attempts = 0;
      const { send, result, close } = connection({
        tokenProvider: async (app) => (++attempts === 1 ? token : await tokenOf({ allowed_apps: [app] })),
      });
      send({ prompt: "refused" });
      // The client forgets the token and asks for another when it has something to send again.
      const patience = setInterval(() => send({ prompt: "again" }), 50);
      expect(await result()).toMatchObject({ prompt: "again" });
      clearInterval(patience);
      expect(attempts).toBe(2);
      close();
    }
    expect(opened).toHaveLength(4);
  });

  test("speaks JSON when its encoder and decoder do", async () => {
    const { send, result, close } = connection({
      encodeMessage: (input) => JSON.stringify(input),
      decodeMessage: async (data) => {
        if (typeof data === "string") return JSON.parse(data);
        throw new Error("a binary result");
      },
    });
    send({ prompt: "json" });
    expect(await result()).toEqual({ prompt: "json", steps: 1 });
    close();
  });

  test("opens the path that it is given, below the endpoint", async () => {
    const { send, result, close } = connection({ path: "/idle/realtime" }, { app: "test/echo" });
    send({ prompt: "by path" });
    expect(await result()).toMatchObject({ prompt: "by path" });
    expect(opened[0]).toStartWith("wss://fal.run/test/echo/idle/realtime?fal_jwt_token=");
    close();
  });

  test("reads MessagePack with a decoder that expects JSON first, and asks its provider once unless told otherwise", async () => {
    let asked = 0;
    const { send, result, close } = connection({
      tokenProvider: async (app) => {
        asked++;
        return await tokenOf({ app, duration: 60 });
      },
      decodeMessage: async (data) => {
        if (typeof data === "string") return JSON.parse(data);
        const bytes = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);
        try {
          return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
        } catch {
          return decode(bytes);
        }
      },
    });
    for (const prompt of ["one", "two"]) {
      send({ prompt });
      expect(await result()).toMatchObject({ prompt });
    }
    expect({ asked, ownTokens: fetched.filter((url) => url.includes("/tokens")) }).toEqual({ asked: 1, ownTokens: [] });
    close();
  });

  test("a message that is a text, or not an input, is an ApiError; the connection stays", async () => {
    const { send, result, error, close } = connection();
    send({ steps: 0 });
    const wrong = await error();
    expect(wrong).toBeInstanceOf(ApiError);
    expect(wrong).toMatchObject({ status: 400, body: { type: "x-fal-error", error: "INVALID_INPUT" } });
    send("hello" as never);
    expect(await error()).toMatchObject({ message: expect.stringContaining("INVALID_INPUT") });
    send({ prompt: "still here" });
    expect(await result()).toMatchObject({ prompt: "still here" });
    expect(opened).toHaveLength(1);
    close();
  });

  test("what the decoder throws comes as an error", async () => {
    const { send, error, close } = connection({
      decodeMessage: async () => {
        throw new Error("cannot read this");
      },
    });
    send({ prompt: "x" });
    expect(await error()).toMatchObject({ status: 400, message: "cannot read this" });
    close();
  });

  test("connections of one key share a socket", async () => {
    const connectionKey = crypto.randomUUID();
    const first = connection({ connectionKey });
    first.send({ prompt: "first" });
    await first.result();
    const second = connection({ connectionKey });
    second.send({ prompt: "second" });
    expect(await second.result()).toMatchObject({ prompt: "second" });
    expect(opened).toHaveLength(1);
    second.close();
  });

  test("a wrong key gets no token and no socket", async () => {
    const token = Promise.withResolvers<number>();
    const fal = createFalClient({
      credentials: "nobody:nothing",
      fetch: Object.assign(async (url: string | URL | Request, init?: RequestInit) => {
        const response = await fetch(String(url).replace("https://rest.fal.ai/", `${server.origin}/rest/`), init);
        token.resolve(response.status);
        return response;
      }, fetch),
    });
    connection({}, { fal }).send({ prompt: "x" });
    expect(await token.promise).toBe(401);
    expect(opened).toEqual([]);
  });
});

describe("fal.realtime on the demo model", () => {
  const app = "forecourt/demo-diffusion";
  const isPng = (content: unknown) => content instanceof Uint8Array && content[1] === 0x50 && content[2] === 0x4e;

  test("draws picture after picture as raw bytes, from prompts and from the picture before", async () => {
    const { send, result, close } = connection({}, { app });
    send({ prompt: "a big red circle on a blue ground", seed: 3 });
    const first = (await result()) as { images: { content: Uint8Array }[]; seed: number };
    expect(first).toMatchObject({ seed: 3, images: [{ width: 128, height: 128, content_type: "image/png" }] });
    const content = first.images[0]?.content;
    if (!isPng(content)) throw new Error("no picture came back");
    send({ prompt: "a big green circle on a blue ground", image_url: content, strength: 0.6 });
    const second = (await result()) as typeof first;
    expect(second.seed).toBe(3);
    expect(isPng(second.images[0]?.content)).toBe(true);
    send({ prompt: "a big green circle on a blue ground", sync_mode: true });
    const third = (await result()) as unknown as { images: { url: string }[] };
    expect(third.images[0]?.url).toStartWith("data:image/png;base64,");
    close();
  }, 60_000);
});

describe("HTTP over WebSocket", () => {
  test("answers pipelined requests in order, each with start, body and end", async () => {
    const socket = await connect(`${server.origin.replace(/^http/, "ws")}/ws/${ECHO}`, {
      authorization: `Key ${server.key}`,
    });
    for (const prompt of ["a", "b"]) socket.send(JSON.stringify({ prompt }));
    for (const prompt of ["a", "b"]) {
      const start = JSON.parse(String(await socket.next()));
      expect(start).toMatchObject({ type: "start", status: 200, request_id: expect.any(String) });
      const body = await socket.next();
      expect(JSON.parse(new TextDecoder().decode(body as Uint8Array))).toMatchObject({ prompt });
      const end = JSON.parse(String(await socket.next()));
      expect(end).toMatchObject({ type: "end", request_id: start.request_id, status: 200 });
    }
    socket.close(1000);
    proved("http", "http-over-ws");
  });

  test("a realtime connection by key, without a token, is as good", async () => {
    const socket = await connect(`${server.origin.replace(/^http/, "ws")}/run/${ECHO}/realtime`, {
      authorization: `Key ${server.key}`,
    });
    socket.send('{"prompt":"text"}');
    expect(JSON.parse(String(await socket.next()))).toMatchObject({ prompt: "text" });
    expect(JSON.parse(String(await socket.next()))).toMatchObject({ type: "x-fal-message", action: "timings" });
    socket.close(1000);
    proved("http", "realtime");
  });
});
