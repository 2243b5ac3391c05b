// From exec to ready, from exec to the first picture, and what an idle server holds.
import { readFileSync } from "node:fs";
import { post } from "./client.ts";
import { startServer } from "./own-process.ts";
import { median } from "./statistics.ts";

export type StartUp = { readyMs: number; firstPictureMs: number; idleBytes: number };

/** Memory is read this long after the start, when the work of starting is over. */
const SETTLE_MS = 1_000;

/** `data` has its libraries unpacked already. */
export async function measureStartUp(data: string, given: { rounds: number; model: string }): Promise<StartUp> {
  const ready: number[] = [];
  const pictures: number[] = [];
  for (let i = 0; i < given.rounds; i++) {
    await using server = await startServer(data);
    ready.push(server.readyMs);
    await (await post(server, `/run/${given.model}`, { prompt: "a red circle", seed: i })).bytes();
    pictures.push(performance.now() - server.startedAt);
  }
  await using server = await startServer(data);
  await Bun.sleep(SETTLE_MS);
  return { readyMs: median(ready), firstPictureMs: median(pictures), idleBytes: residentBytes(server.pid) };
}

/** Pages of this process in memory (VmRSS). */
function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes) * 1024;
}
