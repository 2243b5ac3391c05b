// The server that runs on this data directory, if one does: where it listens and the key to it.
import { readFileSync } from "node:fs";
import { adminKeyFile } from "../control/keys/admin-key.ts";
import type { Resolved } from "../control/settings/resolve.ts";
import type { Settings } from "../control/settings.ts";
import { type ErrorCode, ForecourtError } from "../core/errors.ts";
import { notedAddress } from "./serve/noted-address.ts";

export type RunningServer = {
  origin: string;
  /** An authorised request; `path` begins with a slash. `account`: for whom, in the audit log. Throws the server's refusal as its message. */
  ask(
    path: string,
    request?: { method?: string; body?: unknown; account?: string; signal?: AbortSignal },
  ): Promise<Response>;
};

/** `tls` is left out where it is known to be http. */
type Place = Pick<Settings, "host" | "port"> & Partial<Pick<Settings, "tls">>;
type Address = Place &
  Pick<Settings, "data"> & {
    /** No flag names it, and no server of this data directory says that it listens there. */
    isGuess?: true;
  };

/** Its names are those that other machines use; on this one the address is proof enough, as it is over http. */
const ANY_CERTIFICATE = { tls: { rejectUnauthorized: false } };

/** A server on the same machine answers within a few milliseconds, a busy one within this. */
const ANSWER_MS = 2_000;

/** Of the server of this data directory: where flags say, else where it says itself, else where settings say. */
export function placeOf({ settings, origins }: Pick<Resolved<Settings>, "settings" | "origins">): Address {
  const isNamed = origins.some(({ name, origin }) => origin === `--${name}` && (name === "host" || name === "port"));
  const noted = isNamed ? undefined : notedAddress(settings.data);
  if (!noted) return isNamed ? settings : { ...settings, isGuess: true };
  const { host, port, isTls } = noted;
  return { data: settings.data, host, port, tls: { cert: isTls ? settings.tls.cert || "its own" : "", key: "" } };
}

/** Where clients on this machine reach a server that listens on `host`. */
export function originOf({ host, port, tls }: Place): string {
  const isAny = host === "0.0.0.0" || host === "::" || host === "";
  const name = isAny ? "127.0.0.1" : host;
  return `${tls?.cert ? "https" : "http"}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/**
 * Throws `unavailable` for a server that is there and does not answer in time: nothing may be done as if there were none.
 * Throws `unauthenticated` when a server answers whose admin key can't be read here. Who answers where a server of this data directory
 * was only guessed to be is none of it, since that would say so: our key is not for them, nor our work.
 */
export async function findServer(settings: Address): Promise<RunningServer | undefined> {
  const origin = originOf(settings);
  const response = await look(settings, "/health");
  if (response === "silent") throw tooSlow(origin);
  if (!response?.ok) return undefined;
  const key = readKey(settings.data, origin);
  if (settings.isGuess) return undefined;
  return { origin, ask: (path, request) => ask(`${origin}${path}`, key, request) };
}

export type ServerState = "ready" | "starting" | "silent" | "absent";

/** Of the server at this address; `silent` is one that takes calls and does not answer them in time. */
export async function stateOf(address: Place): Promise<ServerState> {
  const response = await look(address, "/ready");
  if (response === "silent") return "silent";
  if (response?.ok) return "ready";
  const health = response && (await look(address, "/health"));
  return health && health !== "silent" && health.ok ? "starting" : "absent";
}

/** Undefined where no one is there. */
async function look(address: Place, path: string): Promise<Response | "silent" | undefined> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  return await fetch(`${originOf(address)}${path}`, { signal, ...ANY_CERTIFICATE }).catch(() =>
    signal.aborted ? "silent" : undefined,
  );
}

const tooSlow = (origin: string) =>
  new ForecourtError(
    "unavailable",
    `The server at ${origin} has not answered within ${ANSWER_MS / 1000} seconds: it is busy, or stands still. Try again, and look at its log if that does not help.`,
  );

function readKey(data: string, origin: string): string {
  const file = adminKeyFile(data);
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    const way = `Name the data directory of that server with --data, or use an account that may read ${file}.`;
    throw new ForecourtError("unauthenticated", `A server answers at ${origin}, but its key can't be read. ${way}`, {
      cause,
    });
  }
}

type Request = { method?: string; body?: unknown; account?: string; signal?: AbortSignal };

async function ask(
  url: string,
  key: string,
  { method = "GET", body, account, signal }: Request = {},
): Promise<Response> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Key ${key}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(account !== undefined && { "x-forwarded-for": account }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
    ...ANY_CERTIFICATE,
  });
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** fal's two error shapes as one of our own: `detail` is a sentence, or a list of wrong fields. */
async function refusalOf(response: Response): Promise<ForecourtError> {
  const body: unknown = await response.json().catch(() => undefined);
  const detail = typeof body === "object" && body !== null && "detail" in body ? body.detail : undefined;
  const text = Array.isArray(detail) ? detail.map(fieldText).join("; ") : String(detail ?? response.statusText);
  return new ForecourtError(CODES[response.status] ?? "unavailable", text);
}

const CODES: Record<number, ErrorCode> = { 401: "unauthenticated", 404: "not_found", 422: "invalid_input" };

const fieldText = ({ loc = [], msg = "" }: { loc?: unknown[]; msg?: string }) => `${loc.slice(1).join(".")}: ${msg}`;

/** What the server said of a model that this command has found among the files just now: that it is not there means that it is new. */
export const unlessNew = (model: string, error: unknown) =>
  error instanceof ForecourtError && error.code === "not_found"
    ? new ForecourtError(
        "not_found",
        `The running server does not know ${model}: its file is newer than the server's last look. Run \`forecourt models reload\`.`,
      )
    : error;
