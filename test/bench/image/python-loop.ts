// loop.py as a process: asked for so many steps, it answers how long each of them took.
import { join } from "node:path";
import type { Turn } from "./compare.ts";
import { SCHEDULER } from "./models.ts";

type Options = { folder: string; threads: number; side: number };

export async function startPython(python: string, { folder, threads, side }: Options) {
  const script = join(import.meta.dir, "loop.py");
  const child = Bun.spawn(
    [python, "-W", "ignore", script, folder, String(threads), String(side), JSON.stringify(SCHEDULER)],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const answers = linesOf(child.stdout);
  const answer = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error(`loop.py ended with ${await child.exited}`);
    return JSON.parse(value);
  };
  const { version }: { version: string } = await answer();
  return {
    version,
    async draw(steps: number): Promise<Turn> {
      child.stdin.write(`${steps}\n`);
      child.stdin.flush();
      return await answer();
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let unread = "";
  for await (const bytes of stream) {
    const lines = (unread + decoder.decode(bytes, { stream: true })).split("\n");
    unread = lines.pop() ?? "";
    yield* lines;
  }
}
