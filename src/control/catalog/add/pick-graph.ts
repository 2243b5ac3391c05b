// Which file of a folder is the graph, in which precision, and which files hold its numbers. models.md 1.1.
import { ForecourtError } from "../../../core/errors.ts";
import type { Repository } from "./repository.ts";

/** transformers.js' suffixes of file names, in the order in which a CPU should have them. */
const SUFFIXES = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
} as const;

export type Precision = keyof typeof SUFFIXES;
// The keys of a literal.
export const precisions = Object.keys(SUFFIXES) as Precision[];

export type PickedGraph = {
  path: string;
  /** What the file's name says. */
  precision: Precision;
  /** The graph and its external data. */
  files: string[];
  bytes: number;
};

const inPrecision = (graph: string, each: Precision) => graph.replace(/\.onnx$/, `${SUFFIXES[each]}.onnx`);

/** In one of these precisions; absent: in whatever precision. */
export const hasGraph = ({ files }: Pick<Repository, "files">, graph: string, among = precisions) =>
  among.some((each) => files.some(({ path }) => path === inPrecision(graph, each)));

/** Throws `misconfigured` when the folder has none, or none in the precision that is wished for. */
export function pickGraph(
  { repo, files }: Repository,
  { graph, precision }: { graph: string; precision?: Precision },
): PickedGraph {
  const isThere = (path: string) => files.some((file) => file.path === path);
  const present = precisions.filter((each) => isThere(inPrecision(graph, each)));
  const chosen = precision === undefined ? present[0] : present.find((each) => each === precision);
  if (chosen === undefined) throw noGraph(repo, graph, present);
  const path = inPrecision(graph, chosen);
  const own = files.filter((file) => file.path === path || isDataOf(path, file.path));
  const all = own.length > 1 ? own : [...own, ...looseData(files, path)];
  return {
    path,
    precision: chosen,
    files: all.map((file) => file.path),
    bytes: all.reduce((sum, file) => sum + file.bytes, 0),
  };
}

/** Several graphs of one repository, each in the precision that is wished for; by the names that were asked for. Throws as `pickGraph`. */
export const pickGraphs = (
  repository: Repository,
  graphs: readonly string[],
  { precision }: { precision?: Precision | undefined },
): Record<string, PickedGraph> =>
  Object.fromEntries(graphs.map((graph) => [graph, pickGraph(repository, { graph, ...(precision && { precision }) })]));

/** Named by exporters after the graph; `weights.pb` by diffusers' old script. */
const isDataOf = (graph: string, path: string) =>
  path.startsWith(graph)
    ? /^(_data(_\d+)?|\.data)$/.test(path.slice(graph.length))
    : path === `${folderOf(graph)}weights.pb`;

/** No graph of use is this small with its numbers inside. */
const HOLDS_NO_NUMBERS_BYTES = 20e6;
const OTHER_FORMATS = /\.(safetensors|bin|msgpack|h5|pt|pth|ckpt|xml|onnx|json|txt|md|py|model|gguf|png|jpe?g)$/i;

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

function noGraph(repo: string, graph: string, present: Precision[]): ForecourtError {
  const what =
    present.length > 0
      ? `${repo} has ${graph} only as ${present.join(", ")}.`
      : `${repo} has no ${graph}: Forecourt runs ONNX graphs, so look for an ONNX export of this model.`;
  return new ForecourtError("misconfigured", what, { details: { reason: "no_graph" } });
}
