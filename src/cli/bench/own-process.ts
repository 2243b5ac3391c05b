// This program once more, as processes to be measured: servers, and the hidden things that they are compared with.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { adminKeyFile } from "../../control/keys/admin-key.ts";
import { ownEnvironment } from "../../control/settings.ts";
import { ForecourtError } from "../../core/errors.ts";
import { linesOf } from "../lines.ts";

export type OwnProcess = {
  pid: number;
  /** The next line that it writes; undefined when it has ended. */
  nextLine(): Promise<string | undefined>;
  write(line: string): void;
  /** Asks it to end and waits for that. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** Arguments that run this program again, whatever it was started as. */
const self = Bun.isStandaloneExecutable
  ? [process.execPath]
  : [process.execPath, resolve(import.meta.dir, "../../main.ts")];

/** `lines` says which of its outputs is read; the other one is thrown away. */
export function startSelf(
  words: string[],
  lines: "stdout" | "stderr",
  environment: Record<string, string> = {},
): OwnProcess {
  const child = Bun.spawn([...self, ...words], {
    env: { ...ownEnvironment(), ...environment },
    stdin: "pipe",
    stdout: lines === "stdout" ? "pipe" : "ignore",
    stderr: lines === "stderr" ? "pipe" : "ignore",
  });
  const written = linesOf(child[lines] as ReadableStream<Uint8Array<ArrayBuffer>>); // a pipe, as asked for above
  return {
    pid: child.pid,
    nextLine: async () => (await written.next()).value,
    write: (line) => {
      child.stdin.write(`${line}\n`);
      child.stdin.flush();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      for await (const _ of written); // so that it never waits for a reader
      await child.exited;
    },
  };
}

export type Served = {
  origin: string;
  /** `id:secret` of the admin key. */
  key: string;
  pid: number;
  /** `performance.now()` of the start, and what passed until it was ready. */
  startedAt: number;
  readyMs: number;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A server of its own on a free port, ready. Throws with its last line when it does not get there. */
export async function startServer(data: string, environment: Record<string, string> = {}): Promise<Served> {
  const startedAt = performance.now();
  const server = startSelf(["serve", "--data", data, "--host", "127.0.0.1", "--port", "0"], "stderr", environment);
  let last = "";
  for (let line = await server.nextLine(); line !== undefined; line = await server.nextLine()) {
    last = line;
    const origin = line.includes('"message":"ready"') ? /"url":"([^"]+)"/.exec(line)?.[1] : undefined;
    if (origin === undefined) continue;
    const readyMs = performance.now() - startedAt;
    const key = readFileSync(adminKeyFile(data), "utf8").trim();
    return {
      origin,
      key,
      pid: server.pid,
      startedAt,
      readyMs,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  }
  throw new ForecourtError("unavailable", `The server to be measured did not start: ${last}`);
}
