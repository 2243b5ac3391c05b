// argv -> command: every command in one table, loaded only when it is asked for; the only process.exit.
import type { CommandTable } from "./cli/program.ts";

const commands: CommandTable = {
  serve: {
    summary: "serve the models",
    async load() {
      const { listenForStop } = await import("./cli/serve/stop-signals.ts");
      const signals = listenForStop();
      return (await import("./cli/serve.ts")).serve(signals);
    },
  },
  run: { summary: "run one model once", load: async () => (await import("./cli/run.ts")).run() },
  models: {
    summary: "list, add, fetch and check models",
    load: async () => (await import("./cli/models.ts")).models(),
  },
  keys: { summary: "create, list and revoke API keys", load: async () => (await import("./cli/keys.ts")).keys() },
  limits: {
    summary: "set what keys, teams and models may take",
    load: async () => (await import("./cli/limits.ts")).limits(),
  },
  prices: { summary: "set what models cost", load: async () => (await import("./cli/prices.ts")).prices() },
  usage: { summary: "show what was used and what it cost", load: async () => (await import("./cli/usage.ts")).usage() },
  ps: { summary: "show what a running server has loaded", load: async () => (await import("./cli/ps.ts")).ps() },
  backup: { summary: "put the box into one file", load: async () => (await import("./cli/backup.ts")).backup() },
  restore: { summary: "bring a backup back", load: async () => (await import("./cli/restore.ts")).restore() },
  rollback: {
    summary: "go back to the version before the last update",
    load: async () => (await import("./cli/rollback.ts")).rollback(),
  },
  audit: {
    summary: "show who changed what",
    load: async () => (await import("./cli/audit.ts")).audit(),
  },
  doctor: {
    summary: "examine this box and its settings",
    load: async () => (await import("./cli/doctor.ts")).doctor(),
  },
  tls: { summary: "make certificates for https", load: async () => (await import("./cli/tls.ts")).tls() },
  runtime: {
    summary: "install a vendor's libraries",
    load: async () => (await import("./cli/runtime.ts")).runtime(),
  },
  bench: { summary: "measure this box", load: async () => (await import("./cli/bench.ts")).bench() },
  completions: {
    summary: "print completions for a shell",
    load: async () => (await import("./cli/completions.ts")).completions(commands),
  },
  version: { summary: "print the version", load: async () => (await import("./cli/version.ts")).version() },
};

/**
 * The waits of the parts that a server is made of do not hold a process, since its socket does. A command has none: while nothing but such
 * a wait was left it ended in the middle of its work, and as if that were done.
 */
const holdProcess = () => setInterval(() => {}, 2 ** 30);

async function main(words: string[]): Promise<void> {
  holdProcess();
  if (words[0] === "runner") {
    const { runner } = await import("./cli/runner.ts");
    process.exit(await runner(words.slice(1)));
  }
  const { runProgram } = await import("./cli/program.ts");
  process.exit(await runProgram({ commands, arguments: words }));
}

void main(process.argv.slice(2));
