// A model as it runs on one kind of device: with the files, graphs and memory of the variant that is meant for it.
import { type DeviceKind, deviceKinds, kindOfId } from "../core/device.ts";
import { ForecourtError } from "../core/errors.ts";
import { type Bytes, bytes } from "../core/units.ts";
import { dtypeOfFile } from "./dtypes.ts";
import type { Model } from "./model.ts";
import { type Source, sourcesOf } from "./sources.ts";
import type { FurtherFiles } from "./variant-declaration.ts";

type Variant = Model["variants"][string];

/** Kinds of devices by variant: asked for at every look of the scheduler. */
const known = new WeakMap<Model, Map<string, Model>>();

/** The model itself where it has no variants. The same object whenever it is asked for. */
export function modelOn(model: Model, kind: DeviceKind): Model {
  const dtype = model.devices?.[kind];
  if (dtype === undefined) return model;
  const made = known.get(model) ?? new Map<string, Model>();
  known.set(model, made);
  const variant = made.get(dtype) ?? ofDtype(model, dtype);
  made.set(dtype, variant);
  return variant;
}

/** Each variant once, in the order of the kinds; the model itself where it has none. */
export const variantsOn = (model: Model, kinds: Iterable<DeviceKind>): Model[] => [
  ...new Set([...kinds].map((kind) => modelOn(model, kind))),
];

/** Of the whole file, also those that no device takes. */
export const allVariants = (model: Model): Model[] =>
  model.devices ? Object.keys(model.variants).map((dtype) => ofDtype(model, dtype)) : [model];

function ofDtype(model: Model, dtype: string): Model {
  const { [dtype]: variant } = model.variants;
  if (!variant) throw wrong(`devices: ${dtype} is none of the variants (${Object.keys(model.variants).join(", ")})`);
  const { devices: _, ...rest } = model;
  return {
    ...rest,
    dtype,
    variants: {},
    source: withFiles(model.source, variant),
    beside: besideWith(model.beside, variant),
    graphs: { ...model.graphs, ...variant.graphs },
    memory: { ...model.memory, ...variant.memory },
  };
}

const besideWith = (beside: Model["beside"], variant: Variant): Model["beside"] =>
  Object.fromEntries(
    Object.entries(beside).map(([folder, { source, ...rest }]) => [
      folder,
      { ...rest, source: withFiles(source, variant.beside?.[folder] ?? {}) },
    ]),
  );

function withFiles(source: Source, { files = [], include = [], bytes = 0 }: FurtherFiles): Source {
  if ("files" in source) return { ...source, files: [...source.files, ...files] };
  if ("include" in source) return { ...source, include: [...source.include, ...include], bytes: source.bytes + bytes };
  return source;
}

/** Bytes that one runner of it is expected to take. */
export const footprintOf = ({ memory }: Pick<Model, "memory">): Bytes => bytes(memory.weights + memory.working);

/** As its file says, else as the names of its graphs tell; undefined where neither does. */
export function dtypeOf({ dtype, graphs }: Pick<Model, "dtype" | "graphs">): string | undefined {
  if (dtype !== undefined) return dtype;
  const found = Object.entries(graphs).map(([wanted, path]) => dtypeOfFile(wanted, path));
  return found.length === 0 || found.includes(undefined) ? undefined : [...new Set(found)].join("+");
}

/** On the device of this id; undefined too where that is none. */
export function dtypeOnDevice(model: Model, device: string): string | undefined {
  const kind = kindOfId(device);
  return kind && dtypeOf(modelOn(model, kind));
}

/** Throws `misconfigured` for variants that do not fit each other, their source or `devices`. */
export function expectVariants(model: Model): void {
  const { devices, variants, dtype } = model;
  const names = Object.keys(variants);
  if (names.length === 0 && !devices) return;
  if (names.length === 0) throw wrong("devices: there are no variants to take");
  if (!devices) throw wrong("variants: `devices` has to say which of them cpu, webgpu and cuda take");
  if (dtype !== undefined) throw wrong("dtype: each variant is of the dtype that is its name");
  for (const kind of deviceKinds) ofDtype(model, devices[kind]);
  for (const [name, variant] of Object.entries(variants)) expectFurther(`variants.${name}`, variant, model);
}

function expectFurther(name: string, variant: Variant, model: Model): void {
  const sources = new Map(sourcesOf(model).map(({ folder, source }) => [folder, source]));
  expectFiles(name, variant, model.source);
  for (const [folder, further] of Object.entries(variant.beside ?? {})) {
    const source = sources.get(folder);
    if (!source) throw wrong(`${name}.beside: the model has no ${folder} in its own \`beside\``);
    expectFiles(`${name}.beside.${folder}`, further, source);
  }
}

function expectFiles(name: string, { files, include, bytes }: FurtherFiles, source: Source): void {
  if (files && !("files" in source)) throw wrong(`${name}.files: its source names no files; see \`include\``);
  if (include && !("include" in source)) throw wrong(`${name}.include: its source has no patterns; see \`files\``);
  if (include && bytes === undefined) throw wrong(`${name}.bytes: about how much do its patterns bring?`);
}

const wrong = (message: string) => new ForecourtError("misconfigured", message);
