// `bun run test/bench/durable-bare.ts FOLDER`: a server with one route that answers when a page about the request is on disk, and does nothing
// else: the least that anybody needs on this disk who answers only what a power cut does not take back. Prints where it listens. It ends with its process.
import { fdatasync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Elysia } from "elysia";
import { invariant } from "../../src/core/errors.ts";

const PAGE = 4096;
/** Written beforehand and then over and over, as SQLite's log is: the file's length, which would have to be on disk too, does not change. */
const PAGES = 2048;

const [, , folder] = process.argv;
invariant(folder, "usage: bun run test/bench/durable-bare.ts FOLDER");
const file = openSync(join(folder, "log"), "w");
writeSync(file, Buffer.alloc(PAGE * PAGES));

let at = 0;
let waiting: PromiseWithResolvers<void>[] = [];
let isBusy = false;

/** Who comes while the disk is busy shares the next wait. */
function flush(): void {
  isBusy = true;
  const flushed = waiting;
  waiting = [];
  fdatasync(file, (error) => {
    isBusy = false;
    for (const { resolve, reject } of flushed) error ? reject(error) : resolve();
    if (waiting.length > 0) flush();
  });
}

function keep(text: string): Promise<void> {
  const page = Buffer.alloc(PAGE);
  page.write(text);
  writeSync(file, page, 0, PAGE, at * PAGE);
  at = (at + 1) % PAGES;
  const kept = Promise.withResolvers<void>();
  waiting.push(kept);
  if (!isBusy) flush();
  return kept.promise;
}

const app = new Elysia()
  .post("/echo", async ({ body }) => {
    await keep(JSON.stringify(body));
    return body;
  })
  .listen({ hostname: "127.0.0.1", port: 0 });
process.stdout.write(`http://127.0.0.1:${app.server?.port}\n`);
