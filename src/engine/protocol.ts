// What server and runner say to each other: two unions, nothing else. Sent over Bun's IPC, as JSON.
import type { Device } from "../core/device.ts";
import type { Failure } from "../core/errors.ts";
import type { BatchId } from "../core/ids.ts";
import type { LogLevel } from "../core/log.ts";
import type { Step } from "../core/pipeline.ts";
import type { Bytes } from "../core/units.ts";
import type { Model } from "./model.ts";

/** One job of a batch. */
export type RunJob = {
  input: Record<string, unknown>;
  /** Folder that output files go into; the first one that is saved makes it. */
  directory: string;
  /** URL of the input -> file already fetched by the server; data URIs are not listed. */
  media: Record<string, string>;
  /** Somebody follows the run: partial results are worth their making. */
  wantsPartials?: boolean;
  /** Names what may be kept between jobs that follow each other. */
  session?: string;
  /** Of new weights: an output with numbers that are none is a failure. In JSON they would be null here. */
  isTrial?: boolean;
};

/** Where to compute, and with which libraries. */
export type Place = { device: Device; runtime: string; libraries?: string | undefined };

export type ToRunner =
  /**
   * Once. `weights` is the model's folder, `runtime` holds the native libraries, `libraries` those of
   * CUDA. The device is the only one of its kind that the process sees.
   */
  | ({
      type: "load";
      model: Model;
      weights: string;
      /** Inputs that are run before it is `ready`; what they give is thrown away. */
      warmups: readonly Record<string, unknown>[];
      threads: number;
      /** Where graphs are kept as onnxruntime has optimised them, and how much of them; absent: nowhere. */
      kept?: { folder: string; limit: Bytes };
    } & Place)
  /** Before `load`, perhaps long: loads what does not depend on the model. Not answered. */
  | ({ type: "prepare" } & Place)
  /** Before `load`: reads the files of a folder, so that they are in the page cache. Not answered. */
  | { type: "read-ahead"; folder: string }
  /** Instead of `load`: a test inference, answered by `tried`; the process then ends. */
  | ({ type: "try" } & Place)
  | { type: "run"; batch: BatchId; jobs: RunJob[] }
  /**
   * Ends the batch between two steps, or only the job at `index`; answered by `failed` with code `client_cancelled` for
   * each job that is ended so.
   */
  | { type: "cancel"; batch: BatchId; index?: number }
  | { type: "stop" };

export type FromRunner =
  /** The process runs and listens. */
  | { type: "hello"; pid: number }
  /** Loaded and warm; `memory` is the process's resident size. */
  | { type: "ready"; memory: Bytes; device: string; loadMs: number }
  | { type: "tried"; ms: number }
  | { type: "step"; batch: BatchId; index: number; step: Step<unknown> }
  | { type: "failed"; batch: BatchId; index: number; failure: Failure }
  /** The batch is over, each of its jobs having had its `output` or `failed`. */
  | { type: "idle"; batch: BatchId; memory: Bytes; runMs: number }
  /** Shown to the caller of that job. */
  | { type: "job-log"; batch: BatchId; index: number; message: string }
  | { type: "log"; level: LogLevel; message: string }
  /** The runner cannot go on and exits. */
  | { type: "fatal"; failure: Failure };
