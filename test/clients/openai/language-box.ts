// A language server for the tests of one file, and OpenAI's own JavaScript client of it, unmodified.
import { afterAll, beforeAll, setDefaultTimeout } from "bun:test";
import OpenAI from "openai";
import { languageServer, MODEL } from "./language-server.ts";

/** What most tests of responses ask. */
export const asked = { model: MODEL, input: "What colour is the circle?", temperature: 0, max_output_tokens: 12 };

/** The client's promises begin when they are awaited. */
export const sent = async <T>(asked: PromiseLike<T>) => await asked;

/** Called once, outside all tests; client and server are there within them. */
export function languageBox(options: Parameters<typeof languageServer>[0] = {}) {
  let server: Awaited<ReturnType<typeof languageServer>>;
  let client: OpenAI;
  const clientOf = (apiKey: string) => new OpenAI({ apiKey, baseURL: server.baseURL, maxRetries: 0 });
  beforeAll(async () => {
    server = await languageServer(options);
    client = clientOf(server.key);
  }, 60_000);
  afterAll(() => server[Symbol.asyncDispose]());
  setDefaultTimeout(60_000);
  return {
    get server() {
      return server;
    },
    get client() {
      return client;
    },
    /** Who asks with a key of their own. */
    async stranger(): Promise<OpenAI> {
      const made = await fetch(`${server.origin}/admin/v1/keys`, {
        method: "POST",
        headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
        body: JSON.stringify({ name: "other" }),
      });
      return clientOf(((await made.json()) as { key: string }).key);
    },
  };
}
