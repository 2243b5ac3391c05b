// What the callers of a soak share: where the server is, their keys, the tally, and the ways to ask.
import type { Tally } from "./tally.ts";

export type Caller = {
  origin: string;
  /** `id:secret` of a key for calls and of the admin's. */
  key: string;
  admin: string;
  /** Where webhooks are to go, and which requests are to be told of there. */
  hook: string;
  hooked: Set<string>;
  random: () => number;
  tally: Tally;
};

export type Scenario = (caller: Caller) => Promise<void>;

/** A caller who waits longer than this has found something; the machine may stand still for a minute or two. */
const PATIENCE_MS = 300_000;

/** Output files of the load are to go while it runs. */
export const SHORT_LIVED = {
  "x-fal-object-lifecycle-preference": JSON.stringify({ expiration_duration_seconds: 90 }),
};

export type Wish = {
  method?: string;
  key?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

/** A body that is an object goes as JSON, one of bytes or text as it is. */
export function ask({ origin, key: own }: Caller, path: string, wish: Wish = {}): Promise<Response> {
  const { method = wish.body === undefined ? "GET" : "POST", key = own, body, headers, signal } = wish;
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  return fetch(path.startsWith("http") ? path : `${origin}${path}`, {
    method,
    headers: {
      ...(key !== "" && { authorization: `Key ${key}` }),
      ...(body !== undefined && !isRaw && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }),
    signal: AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ...(signal ? [signal] : [])]),
  });
}

export const json = async <Value = Record<string, unknown>>(response: Response): Promise<Value> =>
  (await response.json()) as Value;

const COLOURS = ["red", "green", "blue", "yellow", "white"];
const SHAPES = ["circle", "square", "star", "heart"];

export function somePrompt(random: () => number): string {
  const one = (list: string[]) => list[Math.floor(random() * list.length)] ?? "";
  return `a big ${one(COLOURS)} ${one(SHAPES)} on a black ground`;
}
