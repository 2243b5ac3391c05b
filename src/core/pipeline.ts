// The contract of a pipeline: schemas of one task and the code that runs it. Pure: native things are handed in.
import type { Static, TObject } from "./schema.ts";
import type { HeldTensor, Port, Tensor } from "./tensor.ts";
import type { TransformersObject } from "./transformers.ts";

export type Graph = {
  inputs: readonly Port[];
  outputs: readonly Port[];
  /** Blocks the runner's thread while it computes. Unknown or missing inputs throw. */
  run(inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  /**
   * The same, but the outputs that the graph was opened to hold stay in the device's memory, and may come back as inputs
   * of a later run. Absent where a device has no memory that its outputs can stay in: then `run` gives them all.
   */
  runHolding?(inputs: Record<string, Tensor | HeldTensor>): Promise<{
    read: Record<string, Tensor>;
    held: Record<string, HeldTensor>;
  }>;
};

/** 8-bit pixels, row by row, interleaved channels (3 = RGB, 4 = RGBA, 1 = grey). */
export type Pixels = { data: Uint8Array; width: number; height: number; channels: 1 | 3 | 4 };
export type ImageFormat = "png" | "jpeg" | "webp" | "gif";
export type ResizeOptions = {
  width: number;
  height: number;
  kernel: "nearest" | "bilinear" | "bicubic" | "lanczos3";
};

export type ImageCodec = {
  /** Throws `image_load_error` problems as `invalid_input` for data that is not a picture or is too large. */
  decode(bytes: Uint8Array): Promise<Pixels>;
  encode(pixels: Pixels, format: ImageFormat): Promise<Uint8Array>;
  /** The pictures of a file that moves (GIF, WebP, APNG); of any other the one that it is. Throws as `decode`. */
  film(bytes: Uint8Array): Promise<Film>;
  /** A file that moves and begins anew at its end, of pictures of one size without transparency. */
  animate(frames: readonly Pixels[], wish: AnimationWish): Promise<Uint8Array>;
};

export type AnimationFormat = "gif" | "webp";
/** Milliseconds that each picture is shown; GIF knows tens of them alone. */
export type AnimationWish = { format: AnimationFormat; delays: readonly number[] };

export type Film = {
  count: number;
  /** Milliseconds that each is shown. */
  delays: readonly number[];
  /** One after another, all of one size, a few unpacked at a time. Throws as `decode`. */
  read(): AsyncIterable<Pixels>;
};

/** Adds to a weight in place; `data` is [rows, columns], with the rest of a convolution's dimensions in the columns. */
export type WeightChange = (weight: { data: Float32Array; rows: number; columns: number }) => void;

/** Changes of a graph's weights, by the modules of the PyTorch model that it was exported from (`moduleKey`). */
export type WeightChanges = {
  /** The same key stands for the same changes. */
  key: string;
  added: ReadonlyMap<string, WeightChange>;
};

export type GraphWish = {
  hold?: readonly string[];
  changes?: WeightChanges;
  /** A graph of its own beside the usual one, which gives what its layers pass on too: `hidden_states.0`... */
  states?: true;
};

/** A model's weights folder and what else a pipeline needs to come alive. Paths are relative to the folder. */
export type Assets = {
  has(path: string): boolean;
  /** Names of what lies in a folder of the weights; empty where there is no such folder. */
  list(folder: string): string[];
  /**
   * Opens a graph once; later calls with the same path and changes give the same graph. Of a path only one is open: with
   * other changes, or none, the earlier one is released and must not be run any more. Throws `invalid_input` for changes
   * that the graph has no weights for, and for `states` of a graph whose layers are not found. `hold`: names of all outputs that are to stay on the device where that is possible.
   */
  graph(path: string, options?: GraphWish): Promise<Graph>;
  /**
   * Opens a model, processor or tokenizer of transformers.js once, by the name of its class (`AutoProcessor`,
   * `WhisperForConditionalGeneration`...): for families whose ways are that library's, not one graph's.
   */
  transformers(className: string): Promise<TransformersObject>;
  /**
   * How texts are pronounced, in IPA with `^` between the halves of one sound, for each text; `language` is one of
   * espeak-ng's voices. Throws `misconfigured` where the program is not installed.
   */
  phonemes(texts: readonly string[], language: string): Promise<string[]>;
  json<T>(path: string): Promise<T>;
  text(path: string): Promise<string>;
  bytes(path: string): Promise<Uint8Array>;
  codec: ImageCodec;
};

/** A file that a run wrote; `url` is `forecourt-file:<name>` until a face makes it public. */
export type SavedFile = { url: string; content_type: string; file_name: string; file_size: number };

/** One job as a pipeline sees it. */
export type Task<In> = {
  /** Validated and with defaults filled in. */
  input: In;
  /** Bytes behind a URL of the input (data URI, or fetched beforehand by the server). */
  media(url: string): Promise<Uint8Array>;
  /**
   * A sound file of any kind that a program of this machine reads, as a WAV file, of the wanted rate where one is;
   * undefined for what it cannot read. Absent where there is no such program.
   */
  convertSound?(bytes: Uint8Array, wish: { longestSeconds: number; rate?: number }): Promise<Uint8Array | undefined>;
  /** Longer sounds are refused. */
  longestSoundSeconds?: number;
  /** Writes an output file into the job's folder. */
  save(bytes: Uint8Array, file: { name: string; contentType: string }): Promise<SavedFile>;
  /** A line for the request's log, seen by the caller. */
  log(message: string): void;
  /** Somebody follows the run: `partial` steps reach a caller. */
  wantsPartials?: boolean;
  /** The same for messages of one realtime connection: what they share may be kept between them, for a while. */
  session?: string;
};

/** What a run yields; exactly one `output` per task ends it. */
export type Step<Out> =
  | { type: "progress"; at: number; of: number }
  /** `isWhole`: it says all that those before it said, which nobody needs any more. */
  | { type: "partial"; value: unknown; isWhole?: true }
  | { type: "output"; value: Out; units: Units };

/** All that pipelines count, in the plural; `seconds` and `minutes` are of output, or of what was heard. */
export const COUNTED_UNITS = [
  "requests",
  "images",
  "megapixels",
  "steps",
  "seconds",
  "minutes",
  "characters",
  "texts",
  "sounds",
  "tokens",
  "input_tokens",
  "output_tokens",
] as const;

export type CountedUnit = (typeof COUNTED_UNITS)[number];

/** Amounts done, for the price. */
export type Units = Partial<Record<CountedUnit, number>>;

/** A loaded pipeline. Checks `signal` between steps and throws its reason when aborted. */
export type Run<In, Out> = (
  tasks: Task<In>[],
  signal: AbortSignal,
) => AsyncGenerator<{ index: number; step: Step<Out> }>;

export type Pipeline<In extends TObject = TObject, Out extends TObject = TObject> = {
  /** For people: one sentence. */
  summary: string;
  /** All that its runs may count beside what every job does: nothing else can have a price in a model file. */
  counts: readonly CountedUnit[];
  input: In;
  output: Out;
  /**
   * The most units that a run of this input can count, for what is set aside of a budget. Infinity for a unit that only
   * the run can know: all that is left is set aside then, as it is for every unit of a pipeline without this.
   */
  estimate?(input: Static<In>): Units;
  /**
   * Jobs of one model with the same key are computed in one pass when `load`'s run gets them together; undefined = this
   * job is for itself. Without it there are no batches.
   */
  batchKey?(input: Static<In>): string | undefined;
  /**
   * Its run may be called again before earlier calls of it have ended: jobs join what is computed and leave it one by
   * one, up to the model's `maxBatch` at a time. Such a pipeline has no `batchKey`.
   */
  joins?: true;
  /** Input of one message of a realtime connection; absent: the pipeline is not for these. `load`'s tasks may be of it. */
  frame?: TObject;
  load(assets: Assets): Promise<Run<Static<In>, Static<Out>>>;
};

/** Keeps a pipeline's own types while checking its shape. */
export const definePipeline = <In extends TObject, Out extends TObject>(pipeline: Pipeline<In, Out>) => pipeline;
