// What the data directory's parts take on the disk: weights, outputs, uploads and the rest by their folders' names.
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export type Room = { part: string; bytes: number };

/** Largest first; with `signal` it ends early, and counts less. What cannot be read, or is gone meanwhile, counts nothing; other work goes on in between. */
export async function roomIn(data: string, signal?: AbortSignal): Promise<Room[]> {
  const sums = new Map<string, number>();
  for (const name of await namesIn(data)) {
    const part = name.startsWith("forecourt.sqlite") ? "database" : name;
    sums.set(part, (sums.get(part) ?? 0) + (await takenBy(join(data, name), signal)));
  }
  return [...sums].map(([part, bytes]) => ({ part, bytes })).sort((a, b) => b.bytes - a.bytes);
}

async function takenBy(path: string, signal: AbortSignal | undefined): Promise<number> {
  if (signal?.aborted) return 0;
  const found = await lstat(path).catch(() => undefined);
  if (!found) return 0;
  let sum = found.blocks * BLOCK_BYTES;
  if (found.isDirectory()) for (const name of await namesIn(path)) sum += await takenBy(join(path, name), signal);
  return sum;
}

/** POSIX: `st_blocks` counts in these, whatever the file system's own are. */
const BLOCK_BYTES = 512;

const namesIn = (folder: string) => readdir(folder).catch((): string[] => []);

/** The largest parts, as people read them. */
export const roomText = (room: Room[]) =>
  room
    .slice(0, MOST_PARTS)
    .filter(({ bytes }) => bytes >= 1e6)
    .map(
      ({ part, bytes }) =>
        `${part} ${bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`}`,
    )
    .join(", ");

const MOST_PARTS = 5;
