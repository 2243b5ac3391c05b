// A real server process on a data directory of its own: the compiled binary where it was built, else the source.
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");
const BINARY = process.env.FORECOURT_BINARY ?? join(ROOT, "dist/forecourt");

/** The command under test. */
export const forecourt = existsSync(BINARY) ? [BINARY] : [process.execPath, join(ROOT, "src/main.ts")];
export const isCompiled = existsSync(BINARY);

const fromSource = (preload: string) => [process.execPath, "--preload", preload, join(ROOT, "src/main.ts")];

export type LiveServer = {
  origin: string;
  port: number;
  data: string;
  /** `id:secret` of the admin key. */
  key: string;
  pid: number;
  /** Everything that it wrote so far. */
  output(): string;
  runnerPids(): Promise<number[]>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Ends it and removes its data directory. */
  [Symbol.asyncDispose](): Promise<void>;
};

export type LiveServerOptions = {
  /** An existing data directory, kept on disposal. */
  data?: string;
  /** Written into it before the start; `file` is a path in the data directory. */
  models?: readonly { file: string; text: string }[];
  port?: number;
  env?: Record<string, string>;
  arguments?: string[];
  /** Code that the server runs before its own; it then runs from source. */
  preload?: string;
  /** Serves https with these files, under the name localhost. */
  tls?: { cert: string; key: string; ca: string };
};

/** Starts `forecourt serve` and resolves when /ready answers 200; throws with the server's output when it never does. */
export async function startServer(options: LiveServerOptions = {}): Promise<LiveServer> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), "forecourt-live-")));
  for (const { file, text } of options.models ?? []) await Bun.write(join(data, file), text);
  const port = options.port ?? (await freePort());
  const { tls } = options;
  let output = "";
  const child = Bun.spawn(
    [
      ...(options.preload ? fromSource(options.preload) : forecourt),
      "serve",
      "--data",
      data,
      "--port",
      String(port),
      "--device",
      "cpu",
      ...(options.arguments ?? []),
    ],
    {
      env: {
        ...process.env,
        // Tests count its children and end them: those are to be runners of models.
        FORECOURT_MEMORY_SPARE_RUNNERS: "0",
        ...(tls && { FORECOURT_TLS_CERT: tls.cert, FORECOURT_TLS_KEY: tls.key }),
        ...options.env,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const drained = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const origin = tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  const trust = tls ? { tls: { ca: await readFile(tls.ca, "utf8") } } : {};
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output}`);
    return (await fetch(`${origin}/ready`, trust).catch(() => undefined))?.ok ?? false;
  }, `the server is ready on ${origin}`);
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await child.exited;
    await drained;
  };
  return {
    origin,
    port,
    data,
    key: (await readFile(join(data, "admin.key"), "utf8")).trim(),
    pid: child.pid,
    output: () => output,
    runnerPids: () => childrenOf(child.pid),
    kill,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await kill("SIGTERM");
      if (options.data === undefined) await rm(data, { recursive: true, force: true });
    },
  };
}

/** Polls a condition that has no event to wait for; throws after `deadlineMs`. */
export async function until(condition: () => Promise<boolean>, what: string, deadlineMs = 30_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`);
    await Bun.sleep(20);
  }
}

/**
 * Below the ports that systems hand out by themselves (32768 and up on Linux), so that no connection gets it before its
 * server does; by chance, so that test processes side by side do not take the same.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number) =>
  new Promise<boolean>((done) => {
    const probe = createServer();
    probe.once("error", () => done(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => done(true)));
  });

/** Direct children of a process, as Linux's /proc lists them (every thread may have some). */
export async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number));
}
