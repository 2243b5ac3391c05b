// A graph that is opened with its weights as they lie in their file, so that the first answer comes early, and once more
// with them laid out for the processor (onnxruntime's prepacking), when that answer has been given.
import { readFile, stat } from "node:fs/promises";
import { toFailure } from "../../core/errors.ts";
import { hasPlainWeightsBeside } from "../onnx-file/plain-weights.ts";
import { type GraphOptions, type OpenGraph, openGraph } from "./session.ts";

/** Without prepacking such a graph is mapped and not read; a larger file holds its weights itself. */
const LARGEST_FILE = 64 * 1024 * 1024;
/** What is laid out in less than a tenth of a second needs no second opening. */
const LEAST_WEIGHTS = 100e6;

/** An answer leaves the process before its thread is busy for a second or more. */
const AFTER_RUN_MS = 500;
/** Where the model was loaded and nobody asked for anything. */
const AFTER_OPENING_MS = 3_000;

export type Late = {
  warn(message: string): void;
  afterRunMs?: number;
  afterOpeningMs?: number;
  open?: typeof openGraph;
};

/** Whether a run without prepacking is a little slower and no more, and prepacking takes long. */
export async function gainsByLatePacking(path: string, { device, execution }: GraphOptions): Promise<boolean> {
  if (device.kind !== "cpu" || "session.disable_prepacking" in (execution?.session ?? {})) return false;
  const facts = await stat(path).catch(() => undefined);
  return (
    facts !== undefined && facts.size <= LARGEST_FILE && hasPlainWeightsBeside(await readFile(path), LEAST_WEIGHTS)
  );
}

/**
 * The first run is done as it was opened, a second one waits for the second opening, which otherwise comes when the graph
 * has rested. Throws as `openGraph`; where the second opening fails, the first one stays.
 */
export async function openLate(path: string, options: GraphOptions, late: Late): Promise<OpenGraph> {
  const { warn, afterRunMs = AFTER_RUN_MS, afterOpeningMs = AFTER_OPENING_MS, open = openGraph } = late;
  let current = await open(path, withoutPacking(options));
  const { inputs, outputs } = current;
  const running = new Set<Promise<unknown>>();
  let packing: Promise<void> | undefined;
  let isFirst = true;
  let rest: ReturnType<typeof setTimeout> | undefined;

  async function pack(): Promise<void> {
    try {
      const packed = await open(path, options);
      const [old, left] = [current, [...running]];
      current = packed;
      void Promise.allSettled(left).then(() => old.release());
    } catch (error) {
      warn(`${path} stays as it lies in its file: ${toFailure(error).message}`);
    }
  }
  const packOnce = () => {
    clearTimeout(rest);
    packing ??= pack();
    return packing;
  };
  const packAfter = (ms: number) => {
    clearTimeout(rest);
    rest = setTimeout(() => void packOnce(), ms);
    rest.unref();
  };
  packAfter(afterOpeningMs);

  return {
    inputs,
    outputs,
    async run(tensors) {
      clearTimeout(rest);
      if (!isFirst) await packOnce();
      isFirst = false;
      const run = current.run(tensors);
      running.add(run);
      try {
        return await run;
      } finally {
        running.delete(run);
        if (!packing) packAfter(afterRunMs);
      }
    },
    async release() {
      clearTimeout(rest);
      packing ??= Promise.resolve();
      await packing;
      await current.release();
    },
  };
}

const withoutPacking = ({ execution, ...options }: GraphOptions): GraphOptions => ({
  ...options,
  execution: {
    ...{ optimization: "all", arena: true, memoryPattern: true, ...execution },
    session: { ...execution?.session, "session.disable_prepacking": "1" },
  },
});
