// Serving the app on a port until told to stop.
import type { AnyElysia } from "elysia";
import { ForecourtError } from "../core/errors.ts";
import type { Bytes } from "../core/units.ts";
import { readTls, type TlsFiles } from "./certificate.ts";
import { onAbort } from "./on-abort.ts";

/** A client that neither sends nor reads for this long is cut off; answers that take longer lift it for themselves. */
const IDLE_SECONDS = 30;
/** Sockets are pinged when silent; a client that does not answer for this long is gone. */
const SOCKET_IDLE_SECONDS = 120;
/** What is under way when the box stops gets this long to end. */
const DRAIN_MS = 5_000;
/** And their last answers so long to get out. */
const LAST_WORDS_MS = 500;

export type ListenOptions = {
  host: string;
  port: number;
  signal: AbortSignal;
  idleSeconds?: number;
  /** https with them, http when both are empty. */
  tls?: TlsFiles;
};

/** `port` is the one in use, where 0 was asked for; `closed` resolves when no connection is left after `signal`. */
export type Listening = { host: string; port: number; closed: Promise<void> };

/** `maxMessage`: a client that sends a longer one by WebSocket is cut off. `onCut`: whoever still waits for an answer is to get one now. */
type SocketLimits = { maxMessage: Bytes; onStop(): void; onCut(): void };

/** The result throws `misconfigured` when the address cannot be had. */
export const createListen =
  (app: AnyElysia, { maxMessage, onStop, onCut }: SocketLimits) =>
  ({ host, port, signal, idleSeconds = IDLE_SECONDS, tls }: ListenOptions): Listening => {
    const pems = tls && readTls(tls);
    start(app, { host, port, idleSeconds, maxMessage, ...(pems && { tls: pems }) });
    const { server } = app;
    if (!server) throw new Error("the server did not start");
    const closed = new Promise<void>((resolve) => onAbort(signal, () => resolve(drain(server, onCut))));
    onAbort(signal, onStop);
    return { host, port: server.port ?? port, closed };
  };

type Address = {
  host: string;
  port: number;
  idleSeconds: number;
  maxMessage: Bytes;
  tls?: { cert: string; key: string };
};

function start(app: AnyElysia, { host, port, idleSeconds, maxMessage, tls }: Address): void {
  try {
    app.listen({
      hostname: host,
      port,
      idleTimeout: idleSeconds,
      // A second server on the same port is a mistake to be told, not a share of the load.
      reusePort: false,
      development: false,
      // Bodies are bounded where they are read, with an answer in fal's words.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      websocket: { maxPayloadLength: maxMessage, idleTimeout: SOCKET_IDLE_SECONDS, perMessageDeflate: false },
      ...(tls && { tls }),
    });
  } catch (cause) {
    throw new ForecourtError("misconfigured", explain(cause, { host, port }), { cause });
  }
}

function explain(cause: unknown, { host, port }: Pick<Address, "host" | "port">): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (code === "EADDRINUSE")
    return `Port ${port} on ${host} is taken by another program. Stop it, or choose another port with --port.`;
  return `Cannot listen on ${host} port ${port}: ${WHY_NOT[code] ?? `${reason}. ${ADDRESSES}`}`;
}

const ADDRESSES = "See `ip address` for those of this machine; 0.0.0.0 stands for all of them.";

/** By the system's code. */
const WHY_NOT: Readonly<Record<string, string>> = {
  EACCES:
    "this account may not listen there, which is so for ports below 1024. Choose another port with --port, or open them to all accounts: sysctl net.ipv4.ip_unprivileged_port_start=80.",
  EADDRNOTAVAIL: `this machine has no such address. ${ADDRESSES}`,
  EINVAL: `that is no address. ${ADDRESSES}`,
  ENOTFOUND: `that is neither an address nor a name that leads to one. ${ADDRESSES}`,
};

type Stoppable = { stop(closeActiveConnections?: boolean): Promise<void> };

async function drain(server: Stoppable, onCut: () => void): Promise<void> {
  let impatience = setTimeout(() => {
    onCut();
    impatience = setTimeout(() => void server.stop(true), LAST_WORDS_MS);
  }, DRAIN_MS);
  await server.stop();
  clearTimeout(impatience);
}
