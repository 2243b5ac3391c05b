// Wraps onnxruntime-node, the only file that imports it: opens a graph on one device, runs it, releases it.
import "./telemetry.ts";
import { existsSync } from "node:fs";
import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Device } from "../../core/device.ts";
import { ForecourtError, invariant, toFailure } from "../../core/errors.ts";
import type { Graph } from "../../core/pipeline.ts";
import type { DType, HeldTensor, Port, Tensor, TensorData } from "../../core/tensor.ts";
import type { Execution } from "../execution.ts";
import { hideFloat16Array } from "./hide-float16-array.ts";

export type GraphOptions = {
  /** The first one of its kind that the process sees: its environment shows no other. */
  device: Pick<Device, "kind" | "index">;
  /** Threads of one operator; 0 = as many as the machine has cores. */
  threads: number;
  execution?: Pick<Execution, "optimization" | "arena" | "memoryPattern" | "session">;
  /** Whether nodes that the device has no code for fail the graph instead of running on the CPU. */
  isStrict?: boolean;
  /** Writes the graph as it was optimised into a file while it is opened; or: such a file is opened, made of another. */
  optimised?: { into: string } | { of: string };
  /** Outputs that stay in the device's memory: onnxruntime-node can do that with its WebGPU provider alone. */
  hold?: readonly string[];
};

/** A graph in memory, and what errors call it. */
export type GraphBytes = { name: string; bytes: Uint8Array };

export type OpenGraph = Graph & {
  /** Frees the weights; the graph must not be run afterwards. */
  release(): Promise<void>;
};

/**
 * Loads a .onnx file (external data beside it) on exactly the given device: an unavailable provider throws, it never
 * becomes the CPU. Throws `weights_missing` for absent files and `runner_failed` for everything else.
 */
export async function openGraph(from: string | GraphBytes, options: GraphOptions): Promise<OpenGraph> {
  const path = nameOf(from, options);
  if (typeof from === "string" && !existsSync(from))
    throw new ForecourtError("weights_missing", `the graph ${path} does not exist`);
  hideFloat16Array(() => new OrtTensor("bool", [true]));
  const session = await createSession(from, options);
  const inputs = session.inputMetadata.map((each) => portOf(path, each));
  const outputs = session.outputMetadata.map((each) => portOf(path, each));
  const results = async (tensors: Record<string, Tensor | HeldTensor>) => {
    checkInputs({ path, inputs, tensors });
    const feeds = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toOrt(tensor)]));
    try {
      return await session.run(feeds);
    } catch (cause) {
      throw failed(path, "run", cause);
    }
  };
  const graph: OpenGraph = {
    inputs,
    outputs,
    async run(tensors) {
      const all = await results(tensors);
      return Object.fromEntries(outputs.map(({ name }) => [name, fromOrt(path, all[name])]));
    },
    release: () => session.release(),
  };
  if (!canHold(options)) return graph;
  return {
    ...graph,
    async runHolding(tensors) {
      const all = Object.entries(await results(tensors));
      const isHeld = ([, value]: (typeof all)[number]) => value.location === "gpu-buffer";
      return {
        read: Object.fromEntries(
          all.filter((each) => !isHeld(each)).map(([name, value]) => [name, fromOrt(path, value)]),
        ),
        held: Object.fromEntries(all.filter(isHeld).map(([name, value]) => [name, heldOf(path, value)])),
      };
    },
  };
}

/** Which version of onnxruntime this is. */
export const ONNXRUNTIME = env.versions.node;

/** What errors call a graph: the file that an operator knows. */
function nameOf(from: string | GraphBytes, { optimised }: GraphOptions): string {
  if (optimised && "of" in optimised) return optimised.of;
  return typeof from === "string" ? from : from.name;
}

const NO_SUCH_OUTPUT = /is not a valid output name/;
const canHold = ({ device, hold = [] }: GraphOptions) => device.kind === "webgpu" && hold.length > 0;

/** What onnxruntime knows the tensors on the device by. */
const onDevice = new WeakMap<HeldTensor, OrtTensor>();

function heldOf(path: string, value: OrtTensor): HeldTensor {
  if (!isDType(value.type)) throw unusable(path, `it gave an output of the type ${value.type}`);
  const held: HeldTensor = { dtype: value.type, shape: value.dims, release: () => value.dispose() };
  onDevice.set(held, value);
  return held;
}

async function createSession(from: string | GraphBytes, options: GraphOptions): Promise<InferenceSession> {
  const settings = sessionSettings(options);
  try {
    return typeof from === "string"
      ? await InferenceSession.create(from, settings)
      : await InferenceSession.create(from.bytes, settings);
  } catch (cause) {
    // Models that share keys and values among layers have fewer outputs than their configs let expect.
    if (canHold(options) && NO_SUCH_OUTPUT.test(toFailure(cause).message))
      return await createSession(from, { ...options, hold: [] });
    throw failed(nameOf(from, options), "load", cause);
  }
}

/** The same for every graph of a model, whoever opens it. */
export function sessionSettings(options: GraphOptions) {
  const { device, threads, execution, isStrict, optimised, hold = [] } = options;
  const isDone = optimised && "of" in optimised;
  return {
    executionProviders: [providerOf(device)],
    graphOptimizationLevel: isDone ? "disabled" : (execution?.optimization ?? "all"),
    ...(optimised && "into" in optimised && { optimizedModelFilePath: optimised.into }),
    // Errors only: exporters leave warnings by the hundred that no operator can do anything about.
    logSeverityLevel: 3,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    ...(canHold(options) && {
      preferredOutputLocation: Object.fromEntries(hold.map((name) => [name, "gpu-buffer" as const])),
    }),
    enableCpuMemArena: execution?.arena ?? true,
    enableMemPattern: execution?.memoryPattern ?? true,
    extra: { ...execution?.session, ...(isStrict && { "session.disable_cpu_ep_fallback": "1" }) },
  } satisfies InferenceSession.SessionOptions;
}

/** The process sees one device of the kind (control/fleet/environment.ts), so that it is the first one. */
const providerOf = ({ kind }: GraphOptions["device"]): InferenceSession.ExecutionProviderConfig =>
  kind === "cuda" ? { name: "cuda", deviceId: 0 } : kind;

const DTYPES: ReadonlySet<string> = new Set<DType>([
  "float32",
  "float16",
  "float64",
  "int64",
  "int32",
  "int16",
  "int8",
  "uint8",
  "uint16",
  "bool",
]);
const isDType = (type: string): type is DType => DTYPES.has(type);

function portOf(path: string, metadata: InferenceSession.ValueMetadata): Port {
  if (!metadata.isTensor) throw unusable(path, `"${metadata.name}" is not a tensor`);
  if (!isDType(metadata.type)) throw unusable(path, `"${metadata.name}" has the type ${metadata.type}`);
  return { name: metadata.name, dtype: metadata.type, shape: metadata.shape };
}

const unusable = (path: string, why: string) =>
  new ForecourtError("runner_failed", `the graph ${path} cannot be used: ${why}`, { details: { file: path } });

type CheckedRun = { path: string; inputs: readonly Port[]; tensors: Record<string, Tensor | HeldTensor> };

/** onnxruntime ignores unknown names and reports wrong types obscurely, so both are checked here. */
function checkInputs({ path, inputs, tensors }: CheckedRun): void {
  for (const name of Object.keys(tensors)) {
    if (!inputs.some((port) => port.name === name)) throw unusable(path, `it has no input "${name}"`);
  }
  for (const port of inputs) {
    const given = tensors[port.name];
    if (!given) throw unusable(path, `its input "${port.name}" was not given`);
    if (given.dtype !== port.dtype) {
      throw unusable(path, `its input "${port.name}" takes ${port.dtype}, not ${given.dtype}`);
    }
  }
}

/** No copy: onnxruntime reads the array in place while it runs. */
function toOrt(tensor: Tensor | HeldTensor): OrtTensor {
  if ("data" in tensor) return new OrtTensor(tensor.dtype, tensor.data, tensor.shape);
  const known = onDevice.get(tensor);
  invariant(known, "a tensor of this process's own device");
  return known;
}

function fromOrt(path: string, value: OrtTensor | undefined): Tensor {
  if (!value || !isDType(value.type)) throw unusable(path, `it gave an output of the type ${value?.type}`);
  // The other types of `data` (string[], Uint32Array...) belong to dtypes that isDType has refused.
  return { dtype: value.type, shape: value.dims, data: value.data as TensorData };
}

/** onnxruntime has one error class; an external data file that is not there is told from its message. */
function failed(path: string, doing: "load" | "run", cause: unknown): ForecourtError {
  const { message } = toFailure(cause);
  const reason = reasonIn(message);
  const isMissing = doing === "load" && /no such file|doesn't exist|does not exist/i.test(message);
  return new ForecourtError(isMissing ? "weights_missing" : "runner_failed", `cannot ${doing} ${path}: ${reason}`, {
    details: { file: path },
    cause,
  });
}

/** Which dimension is wrong stands in the lines behind the first; the last of them says that the graph or its inputs should be mended. */
const reasonIn = (message: string) =>
  message
    .trim()
    .split(/\s*\n\s*/)
    .filter((line) => !line.startsWith("Please fix"))
    .slice(0, REASON_LINES)
    .join(" ");
const REASON_LINES = 6;
