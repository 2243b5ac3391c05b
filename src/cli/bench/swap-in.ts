// How long a model takes from the request to the answer when it is not in memory, against reading its files alone.
import { post } from "./client.ts";
import { startSelf, startServer } from "./own-process.ts";
import { LATE_MODEL, RANDOM_MODEL, writeRandomModel } from "./random-model.ts";
import { median } from "./statistics.ts";

export type SwapIn = {
  bytes: number;
  /** Its files read one after the other, none of them in the page cache. */
  readMs: number;
  /** From the request to the answer, the files not in the page cache; and what the server says that loading took. */
  coldMs: number;
  coldLoadMs: number;
  /** The same with the files in the page cache. */
  warmMs: number;
  /** The same, and no process had been started ahead. */
  warmWithoutSpareMs: number;
  /** Share of the disk's rate that a cold swap-in reaches. */
  ofReadRate: number;
  /** A cold one with prepacking after the answer: it costs the CPU's provider as much again as reading. */
  coldLateMs: number;
  lateOfReadRate: number;
};

export type SwapInOrder = {
  /** An empty data directory. */
  data: string;
  megabytes: number;
  rounds: number;
};

/** A process that was started ahead is there this long after the server's start, also on a busy machine. */
const SETTLE_MS = 5_000;

export async function measureSwapIn({ data, megabytes, rounds }: SwapInOrder): Promise<SwapIn> {
  const folder = await writeRandomModel(data, megabytes);
  await swapIn(data, "1"); // unpacks the libraries
  const [reads, colds, warms, bares, lates] = [[], [], [], [], []] as {
    ms: number;
    loadMs: number;
    bytes?: number;
  }[][];
  for (let round = 0; round < rounds; round++) {
    const read = await coldRead(folder, true);
    reads?.push({ ...read, loadMs: 0 });
    colds?.push(await swapIn(data, "1", () => coldRead(folder, false)));
    lates?.push(await swapIn(data, "1", () => coldRead(folder, false), LATE_MODEL));
    warms?.push(await swapIn(data, "1"));
    bares?.push(await swapIn(data, "0"));
  }
  const msOf = (samples: { ms: number }[] = []) => median(samples.map(({ ms }) => ms));
  const [readMs, coldMs, coldLateMs] = [msOf(reads), msOf(colds), msOf(lates)];
  return {
    bytes: reads?.[0]?.bytes ?? 0,
    ...{ readMs, coldMs, coldLoadMs: median((colds ?? []).map(({ loadMs }) => loadMs)) },
    ...{ warmMs: msOf(warms), warmWithoutSpareMs: msOf(bares), ofReadRate: readMs / coldMs },
    ...{ coldLateMs, lateOfReadRate: readMs / coldLateMs },
  };
}

/** One answer of a server that has not loaded the model; `before` is done when it is about to be asked. */
async function swapIn(
  data: string,
  spares: string,
  before: () => Promise<unknown> = async () => {},
  model = RANDOM_MODEL,
) {
  await using server = await startServer(data, { FORECOURT_MEMORY_SPARE_RUNNERS: spares });
  await Bun.sleep(SETTLE_MS);
  await before();
  const begun = performance.now();
  const response = await post(server, `/run/${model}`, { x: 1 });
  await response.bytes();
  const loadMs = Number(/load=([\d.]+)/.exec(response.headers.get("x-forecourt-timing") ?? "")?.[1]);
  return { ms: performance.now() - begun, loadMs };
}

/** In a process of its own: the runner's code is not this one's. */
async function coldRead(folder: string, isTimed: boolean): Promise<{ bytes: number; ms: number }> {
  await using reader = startSelf(["runner", "cold-read", JSON.stringify({ folder, isTimed })], "stdout");
  return JSON.parse((await reader.nextLine()) ?? "{}") as { bytes: number; ms: number }; // by engine/runner/cold-read.ts
}
