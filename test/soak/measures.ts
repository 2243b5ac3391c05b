// What a server and its runners hold, read from outside: memory, descriptors and threads by /proc, the heap by /metrics, the disk.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LiveServer } from "../support/live-server.ts";

export type Measures = {
  serverMb: number;
  /** Of JavaScript's objects in the server, with what was not collected yet. */
  heapMb: number;
  serverFds: number;
  serverThreads: number;
  runners: number;
  runnersMb: number;
  /** Of the model that stays loaded, always in the same process. */
  pinnedRunnerMb: number;
  pinnedRunnerFds: number;
  databaseMb: number;
  walMb: number;
  /** Of uploads and outputs. */
  files: number;
  filesMb: number;
  /** Below the data directory, but for uploads and outputs: a file that is forgotten shows here. */
  otherFiles: number;
};

const MB = 1e6;

/** `pinned` is the process id of the runner that stays; undefined before there is one. */
export async function measure({
  server,
  pinned,
}: {
  server: LiveServer;
  pinned: number | undefined;
}): Promise<Measures> {
  const runners = await server.runnerPids();
  const memories = await Promise.all(runners.map(memoryOf));
  const [files, all] = [
    await below(join(server.data, "files"), join(server.data, "uploads")),
    await below(server.data),
  ];
  return {
    serverMb: (await memoryOf(server.pid)) / MB,
    heapMb: (await heapOf(server)) / MB,
    serverFds: await countIn(`/proc/${server.pid}/fd`),
    serverThreads: await countIn(`/proc/${server.pid}/task`),
    runners: runners.length,
    runnersMb: memories.reduce((sum, each) => sum + each, 0) / MB,
    pinnedRunnerMb: pinned === undefined ? 0 : (await memoryOf(pinned)) / MB,
    pinnedRunnerFds: pinned === undefined ? 0 : await countIn(`/proc/${pinned}/fd`),
    databaseMb: (await sizeOf(join(server.data, "forecourt.sqlite"))) / MB,
    walMb: (await sizeOf(join(server.data, "forecourt.sqlite-wal"))) / MB,
    files: files.count,
    filesMb: files.bytes / MB,
    otherFiles: all.count - files.count,
  };
}

/** Bytes that are resident; 0 once the process is gone. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

async function heapOf({ origin, key }: LiveServer): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`, { headers: { authorization: `Key ${key}` } })).text();
  const line = /^forecourt_process_heap_bytes (\S+)$/m.exec(text);
  if (!line) throw new Error(`/metrics says nothing of the heap:\n${text}`);
  return Number(line[1]);
}

const countIn = async (folder: string) => (await readdir(folder).catch(() => [])).length;
const sizeOf = async (path: string) => (await stat(path).catch(() => undefined))?.size ?? 0;

async function below(...folders: string[]) {
  const lists = folders.map(async (folder) => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    return await Promise.all(paths.map(sizeOf));
  });
  const sizes = (await Promise.all(lists)).flat();
  return { count: sizes.length, bytes: sizes.reduce((sum, each) => sum + each, 0) };
}
