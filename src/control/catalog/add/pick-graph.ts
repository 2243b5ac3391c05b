// Which file of a folder is the graph, in which dtype, and which files hold its numbers. models.md 1.1.
import type { DeviceKind } from "../../../core/device.ts";
import { ForecourtError } from "../../../core/errors.ts";
import { type Dtype, dtypes, pathIn } from "../../../engine/dtypes.ts";
import type { Repository } from "./repository.ts";

/** For which devices, and whether the operator said which dtype. */
export type GraphWish = { kind: DeviceKind; dtype?: Dtype };

export type PickedGraph = {
  path: string;
  /** What the file's name says. */
  dtype: Dtype;
  /** The graph and its external data. */
  files: string[];
  bytes: number;
};

/** In whatever dtype. */
export const hasGraph = ({ files }: Pick<Repository, "files">, graph: string) =>
  dtypes.some((each) => files.some(({ path }) => path === pathIn(each, graph)));

/** A processor computes half precision in single; a GPU is quickest in half, and reads what is left of four bits fast. */
const ORDER: Record<"cpu" | "gpu", readonly Dtype[]> = {
  cpu: ["fp32", "fp16", "q8", "int8", "uint8", "q4", "q4f16", "bnb4"],
  gpu: ["fp16", "fp32", "q4f16", "q4", "q8", "int8", "uint8", "bnb4"],
};

const orderFor = ({ kind, dtype }: GraphWish): readonly Dtype[] =>
  dtype === undefined ? ORDER[kind === "cpu" ? "cpu" : "gpu"] : [dtype];

/**
 * The graph in the dtype that is wished for, else in the best one for the device. Throws `misconfigured` when the folder
 * has none, or none in that dtype.
 */
export function pickGraph(repository: Repository, { graph, ...wish }: { graph: string } & GraphWish): PickedGraph {
  const [found] = graphsIn(repository, [graph], orderFor(wish));
  const picked = found?.[graph];
  if (!picked) throw noGraph(repository, graph);
  return picked;
}

/**
 * Several graphs of one repository, by the names that were asked for: all in the same dtype where there is one that all
 * have, else each as `pickGraph` does. Throws as that.
 */
export function pickGraphs(
  repository: Repository,
  graphs: readonly string[],
  wish: GraphWish,
): Record<string, PickedGraph> {
  const [shared] = graphsIn(repository, graphs, orderFor(wish));
  return shared ?? Object.fromEntries(graphs.map((graph) => [graph, pickGraph(repository, { graph, ...wish })]));
}

/**
 * Of files of the same model under names of their authors' own: the one in the dtype that is wished for, else in single precision, else
 * the first. `unsure` names the others. Throws `misconfigured` for a dtype that none has.
 */
export function pickBare(
  repository: Repository,
  paths: readonly string[],
  { dtype, kind }: GraphWish,
): { graph: PickedGraph; unsure: string[] } {
  const path = paths.find((each) => dtypeByName(each) === (dtype ?? "fp32")) ?? (dtype ? undefined : paths[0]);
  if (path === undefined) {
    const known = paths.map((each) => `${each} (${dtypeByName(each)})`).join(", ");
    throw refusal(`${repository.repo} has none in ${dtype}; there are ${known}.`);
  }
  const others = repository.files.flatMap((each) =>
    each.path !== path && paths.includes(each.path) ? [each.path] : [],
  );
  return {
    graph: { ...pickGraph(repository, { graph: path, kind, dtype: "fp32" }), dtype: dtypeByName(path) },
    unsure:
      others.length > 0 ? [`The repository has ${others.join(", ")} too: \`graphs\` and \`source\` name another.`] : [],
  };
}

const NAMED: readonly (readonly [RegExp, Dtype])[] = [
  [/q4f16/i, "q4f16"],
  [/q4|int4/i, "q4"],
  [/uint8/i, "uint8"],
  [/int8/i, "int8"],
  [/q8|quant/i, "q8"],
  [/fp16|half/i, "fp16"],
];

const dtypeByName = (path: string): Dtype =>
  NAMED.find(([name]) => name.test(path.slice(path.lastIndexOf("/") + 1)))?.[1] ?? "fp32";

/** Of the dtypes in this order, those that all of the graphs are there in. */
export function graphsIn(
  repository: Repository,
  graphs: readonly string[],
  order: readonly Dtype[],
): Record<string, PickedGraph>[] {
  return order.flatMap((dtype) => {
    const found = graphs.flatMap((graph) => {
      const picked = findGraph(repository, graph, dtype);
      return picked ? [[graph, picked] as const] : [];
    });
    return found.length === graphs.length ? [Object.fromEntries(found)] : [];
  });
}

function findGraph({ files }: Repository, graph: string, dtype: Dtype): PickedGraph | undefined {
  const path = pathIn(dtype, graph);
  const own = files.filter((file) => file.path === path || isDataOf(path, file.path));
  if (!own.some((file) => file.path === path)) return undefined;
  const all = own.length > 1 ? own : [...own, ...looseData(files, path)];
  const bytes = all.reduce((sum, file) => sum + file.bytes, 0);
  return { path, dtype, files: all.map((file) => file.path), bytes };
}

/** The name of the variant that these are: one dtype, or that of each, joined by +. */
export function dtypesOf(graphs: Record<string, PickedGraph>): string {
  const each = Object.values(graphs).map(({ dtype }) => dtype);
  return new Set(each).size === 1 ? (each[0] ?? "") : each.join("+");
}

/** Named by exporters after the graph; `weights.pb` by diffusers' old script. */
const isDataOf = (graph: string, path: string) =>
  path.startsWith(graph)
    ? /^(_data(_\d+)?|\.data)$/.test(path.slice(graph.length))
    : path === `${folderOf(graph)}weights.pb`;

/** No graph of use is this small with its numbers inside. */
const HOLDS_NO_NUMBERS_BYTES = 20e6;
const OTHER_FORMATS = /\.(safetensors|bin|msgpack|h5|pt|pth|ckpt|xml|onnx|json|txt|ya?ml|md|py|model|gguf|png|jpe?g)$/i;

/** Older exports write a file for each tensor, under any name. */
function looseData(files: Repository["files"], graph: string): Repository["files"] {
  const folder = folderOf(graph);
  const size = files.find(({ path }) => path === graph)?.bytes ?? 0;
  if (size > HOLDS_NO_NUMBERS_BYTES || folder === "") return [];
  const isLoose = ({ path }: { path: string }) =>
    path.startsWith(folder) && !path.slice(folder.length).includes("/") && !OTHER_FORMATS.test(path);
  const isOfAnother = ({ path }: { path: string }) => /\.onnx(_data(_\d+)?|\.data)$/.test(path);
  return files.filter((file) => isLoose(file) && !isOfAnother(file) && !/(^|\/)\.[^/]+$/.test(file.path));
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);

function noGraph({ repo, files }: Repository, graph: string): ForecourtError {
  const present = dtypes.filter((each) => files.some(({ path }) => path === pathIn(each, graph)));
  const what =
    present.length > 0
      ? `${repo} has ${graph} only as ${present.join(", ")}.`
      : `${repo} has no ${graph}: Forecourt runs ONNX graphs, so look for an ONNX export of this model.`;
  return refusal(what);
}

const refusal = (what: string) => new ForecourtError("misconfigured", what, { details: { reason: "no_graph" } });
