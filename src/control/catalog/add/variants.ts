// What a repository is on each kind of device, put together as one model file: shared files, and variants by dtype.
import { type DeviceKind, deviceKinds } from "../../../core/device.ts";
import type { Finding } from "./finding.ts";
import { dtypesOf } from "./pick-graph.ts";

type Found = Record<DeviceKind, Finding>;
type Fields = Record<string, unknown>;

type Variants = {
  /** Fields of the model file. */
  fields: Fields;
  /** Of files that all have. */
  paths: ReadonlySet<string>;
  /** Absent where all devices take the same files. */
  variants?: { name: string; fields: Fields; paths: ReadonlySet<string> }[];
  /** Sentences for the operator. */
  unsure: string[];
};

export function variantsOf(found: Found): Variants {
  const nameOn = (kind: DeviceKind) => dtypesOf(found[kind].graphs);
  const names = [...new Set(deviceKinds.map(nameOn))];
  const [only = ""] = names;
  if (names.length === 1)
    return {
      fields: { ...optional("graphs", otherGraphs(found.cpu)), ...(only !== "" && { dtype: only }) },
      paths: new Set(found.cpu.files),
      unsure: [],
    };
  const shared = deviceKinds.map((kind) => new Set(found[kind].files)).reduce((all, each) => all.intersection(each));
  const variants = names.map((name) => {
    const kinds = deviceKinds.filter((kind) => nameOn(kind) === name);
    const finding = found[kinds[0] ?? "cpu"];
    const { weights, working } = memoryOf(finding, kinds.includes("cpu") ? "cpu" : kinds[0]);
    const fields = { ...optional("graphs", otherGraphs(finding)), memory: { weights, working } };
    return { name, fields, kinds, paths: new Set(finding.files).difference(shared) };
  });
  const told = variants.map(({ name, kinds }) => `${name} on ${kinds.join(" and ")}`).join(", ");
  return {
    fields: { devices: Object.fromEntries(deviceKinds.map((kind) => [kind, nameOn(kind)])) },
    paths: shared,
    variants,
    unsure: [`It is ${told}: --dtype chooses otherwise, e.g. --dtype cpu=q8,cuda=fp32, or --dtype q4 for all devices.`],
  };
}

const otherGraphs = ({ graphs }: Finding) =>
  Object.fromEntries(Object.entries(graphs).flatMap(([wanted, { path }]) => (path === wanted ? [] : [[wanted, path]])));

export const optional = (name: string, value: Fields) => (Object.keys(value).length > 0 ? { [name]: value } : {});

/** A runner process with ONNX Runtime, before any model. */
const RUNTIME_BYTES = 150e6;
/** What ONNX Runtime keeps beside the numbers themselves. */
const OVERHEAD = 1.1;

/** On the devices of a kind; undefined: on any, so that it suffices on all. A CPU computes half precision in single. */
export function memoryOf({ graphs, working, perBatchItem }: Finding, kind: DeviceKind | undefined) {
  const isSingle = kind === undefined || kind === "cpu";
  const loaded = Object.values(graphs).map(({ bytes, dtype }) => bytes * (dtype === "fp16" && isSingle ? 2 : 1));
  const weights = RUNTIME_BYTES + OVERHEAD * loaded.reduce((sum, each) => sum + each, 0);
  return {
    weights: Math.ceil(weights),
    working: Math.ceil(working),
    ...(perBatchItem !== undefined && { perBatchItem: Math.ceil(perBatchItem) }),
  };
}
