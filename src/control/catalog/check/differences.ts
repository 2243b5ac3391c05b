// What a model file says of its repository and what the repository is: where the two differ. Pure.
import type { Model } from "../../../engine/model.ts";
import type { FilePort } from "../../../engine/onnx-file/ports.ts";
import type { HubFile, RevisionFacts } from "../../weights/hub.ts";
import { choose } from "../../weights/patterns.ts";
import { licenceOf } from "../add/licence.ts";

export type Difference = {
  /** A file, a pattern, or what else it is about. */
  about: string;
  /** What the model file says. */
  expected: string;
  found: string;
};

type Repo = Extract<Model["source"], { repo: string }>;

/** A size of patterns is told in round figures. */
const SHARE_OFF = 0.25;

/** Files that are there, and what is wrong with the others. */
export function compareFiles(
  source: Repo,
  listing: readonly HubFile[],
): { files: HubFile[]; differences: Difference[] } {
  if ("files" in source) return comparePinned(source.files, listing);
  const { include, exclude, bytes } = source;
  const idle = include.filter((pattern) => !matches(pattern, listing));
  const differences = idle.map((pattern) => ({ about: pattern, expected: "a file that matches", found: "none" }));
  const files = choose(listing, { include: include.filter((pattern) => !idle.includes(pattern)), exclude });
  if (idle.length === include.length) return { files: [], differences };
  const sum = files.reduce((total, file) => total + file.bytes, 0);
  if (Math.abs(sum - bytes) > SHARE_OFF * bytes)
    differences.push({ about: "bytes", expected: String(bytes), found: String(sum) });
  return { files, differences };
}

function matches(pattern: string, listing: readonly HubFile[]): boolean {
  const glob = new Bun.Glob(pattern.endsWith("/") ? `${pattern}**` : pattern);
  return listing.some(({ path }) => path === pattern || glob.match(path));
}

type Pinned = { path: string; bytes: number; sha256: string };

function comparePinned(pinned: readonly Pinned[], listing: readonly HubFile[]) {
  const byPath = new Map(listing.map((file) => [file.path, file]));
  const differences = pinned.flatMap(({ path, bytes, sha256 }): Difference[] => {
    const found = byPath.get(path);
    if (!found) return [{ about: path, expected: "the file", found: "none" }];
    if (found.bytes !== bytes) return [{ about: path, expected: `${bytes} bytes`, found: `${found.bytes} bytes` }];
    const { algorithm, hex } = found.digest;
    return algorithm === "sha256" && hex !== sha256 ? [{ about: path, expected: sha256, found: hex }] : [];
  });
  const wanted = new Set(pinned.map(({ path }) => path));
  return { files: listing.filter(({ path }) => wanted.has(path)), differences };
}

/** Graphs that the model file names for others. `files`: their paths in the weights. */
export const compareGraphs = (
  { graphs, onnx }: Pick<Model, "graphs" | "onnx">,
  files: readonly string[],
): Difference[] =>
  [...Object.values(graphs), ...(onnx && !(onnx.graph in graphs) ? [onnx.graph] : [])]
    .filter((graph) => !files.includes(graph))
    .map((graph) => ({ about: graph, expected: "the graph, among the files", found: "none" }));

export function compareTerms({ licence }: Pick<Model, "licence">, facts: RevisionFacts): Difference[] {
  const { licence: there, isKnown } = licenceOf(facts.licence);
  const differs = isKnown && there.commercial !== licence.commercial;
  const uses = ({ id, commercial }: typeof licence) => `${id}, ${commercial ? "commercial use" : "no commercial use"}`;
  return differs ? [{ about: "licence", expected: uses(licence), found: uses(there) }] : [];
}

/** What onnxruntime-node hands on of onnx.TensorProto.DataType: no bfloat16, no 8-bit floats, no texts. */
const FED = new Set([1, 2, 3, 4, 5, 6, 7, 9, 10, 11]);

/** `graph` is the file's path. */
export function comparePorts(
  { onnx }: Pick<Model, "onnx">,
  { graph, inputs, outputs }: { graph: string; inputs: readonly FilePort[]; outputs: readonly FilePort[] },
): Difference[] {
  const strange = [...inputs, ...outputs]
    .filter(({ dataType }) => dataType === undefined || !FED.has(dataType))
    .map(({ name, dataType }) => ({
      about: `${graph}: ${name}`,
      expected: "a tensor of a type that can be fed",
      found: dataType === undefined ? "no tensor" : `onnx data type ${dataType}`,
    }));
  if (!onnx || onnx.graph !== graph) return strange;
  const lacking = (names: readonly string[], ports: readonly FilePort[], side: string) =>
    names
      .filter((name) => !ports.some((port) => port.name === name))
      .map((name) => ({
        about: `${graph}: ${name}`,
        expected: `an ${side} of the graph`,
        found: ports.map((port) => port.name).join(", "),
      }));
  const declared = [
    ...Object.values(onnx.inputs).flatMap((input) => ("tensor" in input && input.tensor ? [input.tensor] : [])),
    ...Object.keys(onnx.constants),
    ...Object.keys(onnx.states),
  ];
  const given = Object.values(onnx.states).map(({ from }) => from);
  return [...strange, ...lacking(declared, inputs, "input"), ...lacking(given, outputs, "output")];
}
