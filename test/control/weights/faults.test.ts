// Any sequence of faults ends in the right bytes or a clear error, never in a wrong file that is called good.
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PullOrder } from "../../../src/control/weights/pull.ts";
import { COMMIT, createFakeHub, type Fault, noise } from "../../support/fake-hub.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { failureOf, hastyTimers, PIECE, pullFrom, STALL, scratch } from "./setting.ts";

const files = {
  "model.onnx": noise(6 * PIECE + 77, 1),
  "config.json": noise(400, 2),
  "small.bin": noise(PIECE + 1, 3),
};
const source = { repo: "owner/name", revision: COMMIT };
const RUNS = 20;

function someFault(random: () => number, bytes: number): Fault {
  const at = Math.floor(random() * bytes);
  const faults: Fault[] = [
    { type: "cut", after: at % PIECE },
    { type: "hang", after: at % PIECE },
    { type: "corrupt", at },
    { type: "ignore range" },
    { type: "truncate", after: at % PIECE },
    { type: "status", status: 500 },
    { type: "status", status: 403 },
    { type: "status", status: 429, headers: { "retry-after": "3" } },
    { type: "status", status: 302, headers: { location: "/nowhere" } },
  ];
  return faults[Math.floor(random() * faults.length)] ?? { type: "ignore range" };
}

/** Pulls until it works, as an operator would, with a kill now and then; most errors on the way must say something. */
async function pullThrough(
  order: Pick<PullOrder, "source" | "beside" | "data">,
  endpoint: string,
  random: () => number,
): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const stop = new AbortController();
    const kill = random() < 0.3 ? setTimeout(() => stop.abort(new Error("stopped")), random() * 60) : undefined;
    const tuning = { stall: STALL, timers: hastyTimers(STALL).timers, random };
    const outcome = await pullFrom({ endpoint }, { ...order, signal: stop.signal, tuning }).catch(
      (error: unknown) => error,
    );
    clearTimeout(kill);
    if (outcome instanceof Error) {
      if (!stop.signal.aborted)
        expect((await failureOf(Promise.reject(outcome))).code).toMatch(/^(weights_missing|unavailable)$/);
      continue;
    }
    return (outcome as { folder: string }).folder;
  }
  throw new Error("twenty attempts did not suffice");
}

for (let seed = 1; seed <= RUNS; seed++)
  test(`a random sequence of faults leaves the right bytes (seed ${seed})`, async () => {
    using data = scratch();
    const random = seededRandom(seed);
    let faultsLeft = Math.floor(random() * 25);
    await using hub = createFakeHub({
      repos: { "owner/name": { files } },
      fault: ({ path }) => {
        if (faultsLeft === 0 || random() < 0.5) return undefined;
        faultsLeft--;
        return someFault(random, files[path as keyof typeof files].byteLength);
      },
    });
    const folder = await pullThrough({ source, data: data.path }, hub.endpoint, random);
    for (const [path, content] of Object.entries(files))
      expect(Buffer.compare(readFileSync(join(folder, path)), content)).toBe(0);
    expect(readdirSync(join(folder, "../../blobs")).filter((name) => name.includes("."))).toEqual([]);
  });

/** Of the second repository: one file is the first one's, as tokenizers and configurations often are. */
const others = { "other.onnx": noise(4 * PIECE + 5, 4), "config.json": files["config.json"] };
const beside = { other: { source: { repo: "owner/other", revision: COMMIT } } };

for (let seed = 1; seed <= RUNS; seed++)
  test(`so does one over two repositories of a model (seed ${seed})`, async () => {
    using data = scratch();
    const random = seededRandom(1000 + seed);
    const repos = { "owner/name": { files }, "owner/other": { files: others } };
    const all: Record<string, Uint8Array> = { ...files, ...others };
    let faultsLeft = Math.floor(random() * 30);
    await using hub = createFakeHub({
      repos,
      fault: ({ path }) => {
        if (faultsLeft === 0 || random() < 0.5) return undefined;
        faultsLeft--;
        return someFault(random, all[path]?.byteLength ?? 1);
      },
    });
    const folder = await pullThrough({ source, beside, data: data.path }, hub.endpoint, random);
    for (const [path, content] of Object.entries(files))
      expect(Buffer.compare(readFileSync(join(folder, path)), content)).toBe(0);
    for (const [path, content] of Object.entries(others))
      expect(Buffer.compare(readFileSync(join(folder, "other", path)), content)).toBe(0);
    for (const name of ["models--owner--name", "models--owner--other"]) {
      const blobs = readdirSync(join(data.path, "weights", name, "blobs"));
      expect(blobs.filter((blob) => blob.includes("."))).toEqual([]);
    }
    expect(readdirSync(join(data.path, "weights/.together"))).toHaveLength(1);
  });
