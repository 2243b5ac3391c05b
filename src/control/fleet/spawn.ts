// Starts a runner: this same executable as a child process with an IPC channel.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { toFailure } from "../../core/errors.ts";
import type { FromRunner, ToRunner } from "../../engine/protocol.ts";
import { ownEnvironment } from "../settings.ts";
import { watchFlood } from "./flood-watch.ts";
import { collectLines } from "./last-lines.ts";
import { readMessage } from "./read-message.ts";

export type ChildExit = {
  /** Null when a signal ended it. */
  code: number | null;
  signal: string | null;
  /** The end of what it wrote to stderr. */
  lastLines: string[];
};

export type Child = {
  pid: number;
  /** To a child that is gone nothing is sent. */
  send(message: ToRunner): void;
  /** SIGKILL: a process in native code obeys nothing less. */
  kill(): void;
};

export type SpawnOptions = {
  command: readonly string[];
  /** Added to this process's own. */
  environment?: Readonly<Record<string, string>>;
  /** Throws for one that cannot be at this time; then it is broken. */
  onMessage(message: FromRunner): void;
  onLine(line: string): void;
  /** It lives, but can no longer be understood: it sent what is no message, or closed the channel. Called once; it is to be killed. */
  onBroken(why: string): void;
  /** After the last message and line; called once. */
  onExit(exit: ChildExit): void;
};

/** Linux's way to this very program, even when an upgrade has replaced its file meanwhile. */
const THIS_PROGRAM = "/proc/self/exe";

/** Arguments that run this program again, whatever it was started as. */
export function runnerCommand(): string[] {
  if (!Bun.isStandaloneExecutable) return [process.execPath, resolve(import.meta.dir, "../../main.ts"), "runner"];
  return [existsSync(THIS_PROGRAM) ? THIS_PROGRAM : process.execPath, "runner"];
}

/** How long one of the two, the end of the channel and the end of the process, may come after the other. */
const CLOSING_MS = 2_000;

/** Throws when the process cannot be made (no memory, no file handles). */
export function spawnRunner({ command, environment, onMessage, onLine, onBroken, onExit }: SpawnOptions): Child {
  const { promise: disconnected, resolve: disconnect } = Promise.withResolvers<void>();
  let isOpen = true;
  let isBroken = false;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const breakOff = (why: string) => {
    if (isBroken || hasEnded()) return;
    isBroken = true;
    onBroken(why);
  };
  const child = Bun.spawn([...command], {
    // Its name for people who look at the process list.
    argv0: "forecourt",
    env: withEnvironment(environment),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    serialization: "json",
    // The channel carries what src/engine/runner sends, from the same executable; but native code that goes astray may write
    // anything, and what is thrown here would end the server.
    ipc: (messages) => {
      if (isBroken) return;
      flood.heard();
      try {
        for (const message of messages as unknown[]) onMessage(readMessage(message));
      } catch (error) {
        breakOff(`it sent what is no message (${toFailure(error).message})`);
      }
    },
    // Bun closes a channel on which something arrives that is not JSON.
    onDisconnect() {
      isOpen = false;
      disconnect();
      setTimeout(
        breakOff,
        CLOSING_MS,
        "it closed its channel to the server, or wrote to it what is no message",
      ).unref();
    },
  });
  const flood = watchFlood(child.pid, (bytes) =>
    breakOff(`it wrote ${Math.round(bytes / 1e6)} MB to its channel without the end of a message`),
  );
  const lines = collectLines(child.stderr, onLine);
  void report();

  async function report(): Promise<void> {
    await child.exited;
    flood.stop();
    // Bun may report the exit before the messages that were sent ahead of it.
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSING_MS);
    await Promise.race([Promise.all([disconnected, lines.ended]), late]);
    clearTimeout(timer);
    onExit({ code: child.exitCode, signal: nameOf(child.signalCode), lastLines: lines.last() });
  }

  return {
    pid: child.pid,
    send: (message) => {
      if (isOpen && !hasEnded()) child.send(message);
    },
    kill: () => child.kill("SIGKILL"),
  };
}

/** The linker's path is added to: a container may name the driver's own libraries by it. */
function withEnvironment(added: Readonly<Record<string, string>> = {}): Record<string, string> {
  const own = ownEnvironment();
  const paths = [added.LD_LIBRARY_PATH, own.LD_LIBRARY_PATH].filter((path) => path !== undefined && path !== "");
  return { ...own, ...added, ...(paths.length > 0 && { LD_LIBRARY_PATH: paths.join(":") }) };
}

/** Real-time signals have numbers only. */
const nameOf = (signal: NodeJS.Signals | number | null) => (signal === null ? null : String(signal));
