// Objects of transformers.js over one weights folder, on one device.
import { basename } from "node:path";
import { ForecourtError, invariant, toFailure } from "../../core/errors.ts";
import { dtypeOfFile } from "../dtypes.ts";
import type { OpenTransformers } from "./assets.ts";
import { type GraphOptions, sessionSettings } from "./session.ts";
import { library } from "./transformers-library.ts";
import { fromTransformers, toTransformers } from "./transformers-values.ts";

export type TransformersOptions = GraphOptions & {
  /** The model's weights. */
  folder: string;
  /** `graphs` of the model file: which precision of a graph is opened. */
  graphs: Record<string, string>;
};

/** A class of the library that reads a folder. */
type Loader = { from_pretrained(folder: string, options: Record<string, unknown>): Promise<object> };
const isLoader = (value: unknown): value is Loader => typeof value === "function" && "from_pretrained" in value;

/** Throws `weights_missing` for absent files, `misconfigured` for a class that there is not, else `runner_failed`. */
export async function openTransformers(className: string, options: TransformersOptions): Promise<OpenTransformers> {
  const loader: unknown = Reflect.get(library, className);
  if (!isLoader(loader)) throw new ForecourtError("misconfigured", `transformers.js has no class ${className}`);
  const opened = await withReason(`open ${className}`, () =>
    loader.from_pretrained(options.folder, {
      local_files_only: true,
      device: options.device.kind,
      dtype: dtypesOf(options.graphs),
      session_options: sessionSettings(options),
    }),
  );
  return wrap(className, opened);
}

/** `onnx/decoder_model_merged.onnx: onnx/decoder_model_merged_q4.onnx` is what the library calls `{ decoder_model_merged: "q4" }`. */
function dtypesOf(graphs: Record<string, string>): Record<string, string> | "fp32" {
  const found = Object.entries(graphs).flatMap(([from, to]) => {
    const dtype = dtypeOfFile(from, to);
    return dtype === undefined || dtype === "fp32" ? [] : [[basename(from, ".onnx"), dtype] as const];
  });
  return found.length === 0 ? "fp32" : Object.fromEntries(found);
}

function wrap(className: string, object: object): OpenTransformers {
  return {
    get: (name) => fromTransformers(Reflect.get(object, name)),
    async call(method, ...given) {
      const called = method === "" ? object : Reflect.get(object, method);
      if (typeof called !== "function") throw new ForecourtError("misconfigured", `${className} has no ${method}`);
      const values = given.map(toTransformers);
      return await withReason(`run ${className}`, async () => {
        const result = method === "generate" ? generate(called, object, values) : Reflect.apply(called, object, values);
        return fromTransformers(await result);
      });
    },
    async release() {
      const dispose: unknown = Reflect.get(object, "dispose");
      if (typeof dispose === "function") await Reflect.apply(dispose, object, []);
    },
  };
}

/** What `generate` takes beside the library's own options. */
type Ours = { signal?: AbortSignal; adjust?: (ids: number[], scores: Float32Array) => void };

/**
 * Between tokens the thread hears of an abort, and the library asks what we put among its processors of scores: not its
 * stopping criteria, which Whisper takes and forgets (4.3.1, modeling_whisper.js).
 */
async function generate(called: CallableFunction, object: object, [options]: unknown[]): Promise<unknown> {
  const { signal, adjust, ...others } = options as Ours; // the contract of `generate`: one object
  signal?.throwIfAborted();
  const watch = (ids: bigint[][], scores: ReadonlyArray<{ data: Float32Array }>) => {
    signal?.throwIfAborted();
    if (adjust) for (const [i, each] of ids.entries()) adjust(each.map(Number), dataOf(scores[i]));
    return scores;
  };
  return await Reflect.apply(called, object, [{ ...others, logits_processor: [watch] }]);
}

function dataOf(row: { data: Float32Array } | undefined): Float32Array {
  invariant(row, "there is a row of scores for each text");
  return row.data;
}

async function withReason<T>(doing: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof ForecourtError || cause instanceof DOMException) throw cause;
    const reason = toFailure(cause).message.trim().split("\n")[0];
    const isMissing = cause instanceof library.ModelFileNotFoundError;
    throw new ForecourtError(isMissing ? "weights_missing" : "runner_failed", `cannot ${doing}: ${reason}`, { cause });
  }
}
