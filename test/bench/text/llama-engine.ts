// node-llama-cpp as the other engine, in a process and a folder of its own: it is no part of the product.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Answered, cpuSecondsOf, type Engine } from "./engine.ts";
import type { LlamaOrder, LlamaReply } from "./llama-child.ts";
import { CACHE, type Models } from "./models.ts";

/** MIT, the binding that its users take; pinned, as its numbers differ from release to release. */
const VERSION = "3.22.1";
const FOLDER = join(CACHE, `llama-${VERSION}`);

/**
 * Of its binaries only the one for processors: those for GPUs, its optional packages, are 600 MB. It lies in the folder above,
 * where the library's imports look next. Undefined where they are not to be had: no way to the registry, or another machine.
 */
export function installedLlama(): string | undefined {
  const complete = join(FOLDER, "complete");
  const library = join(FOLDER, "library");
  if (existsSync(complete)) return library;
  const isHere =
    isInstalled(FOLDER, `@node-llama-cpp/${process.platform}-${process.arch}`) &&
    isInstalled(library, "node-llama-cpp", "--omit=optional");
  if (isHere) writeFileSync(complete, "");
  return isHere ? library : undefined;
}

function isInstalled(folder: string, name: string, ...flags: readonly string[]): boolean {
  mkdirSync(folder, { recursive: true });
  const dependencies = { [name]: VERSION };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }));
  return Bun.spawnSync([process.execPath, "install", "--ignore-scripts", ...flags], {
    cwd: folder,
    stdout: "ignore",
    stderr: "inherit",
  }).success;
}

type LlamaOptions = { threads: number; clients: number; context: number };

export async function startLlama(folder: string, { gguf }: Models, options: LlamaOptions): Promise<Engine> {
  let waiting = Promise.withResolvers<LlamaReply>();
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "llama-child.ts")], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
    ipc: (reply: LlamaReply) => waiting.resolve(reply),
    onExit: (_, code) => waiting.reject(new Error(`node-llama-cpp ended with ${code}`)),
  });
  const order = async (message: LlamaOrder): Promise<Answered[]> => {
    waiting = Promise.withResolvers();
    child.send(message);
    const reply = await waiting.promise;
    if (reply.type === "failed") throw new Error(`node-llama-cpp: ${reply.message}`);
    return reply.answers;
  };
  await order({ type: "load", folder, model: gguf, ...options });
  return {
    name: "node-llama-cpp",
    version: VERSION,
    cpuSeconds: async () => await cpuSecondsOf([child.pid]),
    ask: async (prompts, count) => await order({ type: "ask", prompts: [...prompts], count }),
    async [Symbol.asyncDispose]() {
      waiting.promise.catch(() => {});
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
