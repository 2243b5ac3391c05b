// A graph with changed weights as files that onnxruntime can open: beside its own, which stay as they are.
import {
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  writeSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import type { WeightChange, WeightChanges } from "../../core/pipeline.ts";
import { openModelFile, type Replacement, withReplaced } from "../onnx-file/replace-weights.ts";
import { withStatesOfLayers } from "../onnx-file/states-of-layers.ts";
import { findWeight, type Initializer, type ModuleWeight, weightsOfModules } from "../onnx-file/weights-of-modules.ts";

export type ChangedGraph = Disposable & { path: string };

const CHANGED = "changed-weights.data";

type Changing = {
  changes: WeightChanges | undefined;
  /** Gives what its layers pass on too, see states-of-layers.ts. */
  states: true | undefined;
  /** Where to make a folder; best on the weights' own file system, whose large files are then linked and not copied. */
  scratch: string;
};

/**
 * Writes into a new folder of `scratch`; disposing removes it, which may be done once the graph is open. Throws
 * `invalid_input` when the graph lacks a module that is to be changed, or keeps its weight in a form that cannot be, and
 * when the layers whose states are wanted are not found.
 */
export async function writeChanged(path: string, { changes, states, scratch }: Changing): Promise<ChangedGraph> {
  const original = openModelFile(new Uint8Array(await readFile(path)));
  const model = states ? withStatesOfLayers(original) : original;
  if (!model) throw withoutLayers();
  const weights = weightsOfModules(model.graph);
  if (changes) checkFit(changes, weights);
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, "forecourt-weights-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const data = openSync(join(folder, CHANGED), "w", 0o600);
    const replacements: Replacement[] = [];
    let offset = 0;
    for (const [key, change] of changes?.added ?? []) {
      const weight = findWeight(weights, key);
      if (!weight) continue; // checkFit has made sure
      const bytes = changed(weight, readInitializer(weight.initializer, dirname(path)), change);
      writeAll(data, bytes);
      replacements.push({ weight, offset, length: bytes.length });
      offset += bytes.length;
    }
    closeSync(data);
    for (const name of filesBeside(weights)) linkOrCopy(join(dirname(path), name), join(folder, name));
    const to = join(folder, basename(path));
    const file = openSync(to, "w", 0o600);
    for (const piece of withReplaced(model, replacements, CHANGED)) writeAll(file, piece);
    closeSync(file);
    return { path: to, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** onnxruntime takes no symbolic link for the data of a graph; other file systems are copied from, lazily where they can. */
function linkOrCopy(from: string, to: string): void {
  const file = realpathSync(from);
  try {
    linkSync(file, to);
  } catch {
    copyFileSync(file, to, constants.COPYFILE_FICLONE);
  }
}

/** One call writes at most 2 GiB. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30));
}

function checkFit({ added }: WeightChanges, weights: ReadonlyMap<string, ModuleWeight>): void {
  const missing = [...added.keys()].filter((key) => !findWeight(weights, key));
  const [first] = missing;
  if (first === undefined) return;
  const why = `${missing.length} of the ${added.size} weights that the LoRA changes are not in this model's graph, for example ${first}`;
  throw unfit(
    `${why}: it is of another kind of model, or this export (quantised or with fused operators) keeps no such weights`,
  );
}

function withoutLayers(): ForecourtError {
  const msg =
    "This model's text encoder does not give the layers that clip_skip asks for, and they are not found in it";
  const problem = { loc: ["body", "clip_skip"], msg, type: "value_error" };
  return new ForecourtError("invalid_input", msg, { problems: [problem] });
}

function unfit(msg: string): ForecourtError {
  return new ForecourtError("invalid_input", msg, { problems: [{ loc: ["body", "loras"], msg, type: "value_error" }] });
}

/** Files with weights that the graph refers to. */
const filesBeside = (weights: ReadonlyMap<string, ModuleWeight>) =>
  new Set(
    [...weights.values()].flatMap(({ initializer: { content } }) => ("location" in content ? [content.location] : [])),
  );

function readInitializer({ dims, dataType, content }: Initializer, folder: string): Uint8Array {
  if ("bytes" in content) return content.bytes;
  const size = dims.reduce((product, each) => product * each, 1) * (formats[dataType]?.width ?? 0);
  const bytes = new Uint8Array(content.length ?? size);
  const file = openSync(join(folder, content.location), "r");
  readSync(file, bytes, 0, bytes.length, content.offset);
  closeSync(file);
  return bytes;
}

type Format = {
  width: number;
  read(bytes: Uint8Array<ArrayBuffer>): Float32Array;
  write(values: Float32Array): Uint8Array;
};

/** By onnx.TensorProto.DataType. */
const formats: Record<number, Format> = {
  1: {
    width: 4,
    read: ({ buffer }) => new Float32Array(buffer),
    write: ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  },
  10: {
    width: 2,
    read: ({ buffer }) => Float32Array.from(new Float16Array(buffer)),
    write: (values) => new Uint8Array(Float16Array.from(values).buffer),
  },
};

function changed({ initializer, isTransposed }: ModuleWeight, bytes: Uint8Array, change: WeightChange): Uint8Array {
  const format = formats[initializer.dataType];
  const [first = 1, ...rest] = initializer.dims;
  const columns = rest.reduce((product, each) => product * each, 1);
  if (!format || bytes.length !== first * columns * format.width) {
    throw unfit("This export keeps its weights in a form that LoRAs cannot be added to: it takes float32 or float16");
  }
  const data = format.read(new Uint8Array(bytes));
  if (!isTransposed) {
    change({ data, rows: first, columns });
    return format.write(data);
  }
  const weight = transposed(data, first, columns);
  change({ data: weight, rows: columns, columns: first });
  return format.write(transposed(weight, columns, first));
}

/** [rows, columns] as [columns, rows]. */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column] ?? 0;
  }
  return turned;
}
