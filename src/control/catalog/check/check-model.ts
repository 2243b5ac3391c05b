// Compares a model file with what the Hub, or another server, has today; nothing is downloaded but small graph files.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ForecourtError, invariant } from "../../../core/errors.ts";
import { foregroundTimers } from "../../../core/wait.ts";
import type { Model } from "../../../engine/model.ts";
import { portsOf } from "../../../engine/onnx-file/ports.ts";
import { type Part, partsOf } from "../../../engine/sources.ts";
import { allVariants } from "../../../engine/variants.ts";
import { sizeOnDisk } from "../../weights/disk/snapshot.ts";
import { fetchSmall } from "../../weights/fetch-small.ts";
import type { Hub, HubFile, RevisionFacts } from "../../weights/hub.ts";
import { lengthOfUrl, pathOf } from "../../weights/plan/plan-urls.ts";
import { presenceOfSource } from "../../weights/presence.ts";
import { persist } from "../../weights/transfer/patience.ts";
import type { Web } from "../../weights/transfer/web.ts";
import { compareFiles, compareGraphs, comparePorts, compareTerms, type Difference } from "./differences.ts";

export type Checked = {
  model: string;
  /** What the model file's revision is now; absent for other sources, and where that could not be asked. */
  commit?: string;
  differences: Difference[];
  /** Graphs whose inputs could be read: they are on the disk, or small. */
  graphsRead: string[];
};

export type CheckTools = { hub: Hub; web: Web; signal: AbortSignal; data: string; caches?: readonly string[] };

type Listing = { facts: RevisionFacts; files: HubFile[] };

/** A graph without its numbers is smaller; one with them is read where it lies. */
const FETCHED_BYTES = 4e6;
const READ_BYTES = 256e6;
/** A network that is gone should be told soon. */
const ATTEMPTS = 2;

/** Each repository's listing is asked for once. Throws `unavailable` where the Hub can't be reached at all. */
export function createCheck(tools: CheckTools): (model: Model) => Promise<Checked> {
  const listings = new Map<string, Promise<Listing>>();
  const listingOf = (repo: string, revision: string) => {
    const key = `${repo}@${revision}`;
    const known = listings.get(key) ?? askListing({ repo, revision }, tools);
    listings.set(key, known);
    return known;
  };
  return async (model) => {
    const parts: CheckedPart[] = [];
    for (const { folder } of partsOf(model)) parts.push(await checkPart(folder, { model, ...tools, listingOf }));
    const found = parts.flatMap(({ differences }) => differences);
    const graphs = parts.every(({ files }) => files) ? missingGraphs(model, parts) : [];
    // What all variants have in common is told once.
    const told = new Map([...found, ...graphs].map((difference) => [JSON.stringify(difference), difference]));
    const commit = parts.find(({ folder }) => folder === "")?.commit;
    return {
      model: model.id,
      ...(commit !== undefined && { commit }),
      differences: [...told.values()],
      graphsRead: parts.flatMap(({ graphsRead }) => graphsRead),
    };
  };
}

/** Of one source. `files`: by the dtype of each variant, as the model names them; absent where no listing tells. */
type CheckedPart = Omit<Checked, "model"> & { folder: string; files?: Map<string, string[]> };

type CheckingPart = CheckTools & { model: Model; listingOf(repo: string, revision: string): Promise<Listing> };

async function checkPart(folder: string, task: CheckingPart): Promise<CheckedPart> {
  const nothing = { folder, differences: [], graphsRead: [] };
  const parts = allVariants(task.model).map((variant) => ({ ...partIn(variant, folder), dtype: variant.dtype ?? "" }));
  const source = parts[0]?.source;
  invariant(source, "a model has a variant");
  if ("embedded" in source) return nothing;
  if ("path" in source) return { ...nothing, differences: existsSync(source.path) ? [] : [noFolder(source.path)] };
  try {
    if ("urls" in source) {
      const files = new Map(parts.map(({ dtype }) => [dtype, source.urls.map((file) => join(folder, pathOf(file)))]));
      return { ...nothing, files, differences: await compareUrls(source.urls, task) };
    }
    return await checkRepo(folder, { ...task, parts, repo: source.repo, revision: source.revision });
  } catch (error) {
    if (!(error instanceof ForecourtError) || error.code === "unavailable") throw error;
    const about = "repo" in source ? source.repo : "source";
    return { ...nothing, differences: [{ about, expected: "to be there", found: error.message }] };
  }
}

function partIn(variant: Model, folder: string): Part {
  const part = partsOf(variant).find((each) => each.folder === folder);
  invariant(part, "a variant has the sources of its model");
  return part;
}

type CheckingRepo = CheckingPart & { parts: (Part & { dtype: string })[]; repo: string; revision: string };

async function checkRepo(folder: string, { parts, repo, revision, ...task }: CheckingRepo): Promise<CheckedPart> {
  const { model } = task;
  const { facts, files: listing } = await task.listingOf(repo, revision);
  const compared = parts.flatMap(({ source, dtype }) =>
    "repo" in source ? [{ dtype, ...compareFiles(source, listing) }] : [],
  );
  const files = new Set(compared.flatMap((each) => each.files));
  const ports = await readPorts(model, { ...task, folder, at: { repo, commit: facts.commit }, files: [...files] });
  const licence = model.beside[folder]?.licence ?? model.licence;
  const named = ({ about, ...rest }: Difference) => ({ about: folder === "" ? about : `${folder}: ${about}`, ...rest });
  return {
    folder,
    commit: facts.commit,
    files: new Map(compared.map((each) => [each.dtype, each.files.map(({ path }) => join(folder, path))])),
    differences: [
      ...[...compared.flatMap((each) => each.differences), ...compareTerms({ licence }, facts)].map(named),
      ...ports.flatMap((each) => ("problem" in each ? [each.problem] : comparePorts(model, each))),
    ],
    graphsRead: ports.map(({ graph }) => graph),
  };
}

/** Those that a variant names, among the files of all sources. */
const missingGraphs = (model: Model, parts: readonly CheckedPart[]): Difference[] =>
  allVariants(model).flatMap((variant) =>
    compareGraphs(
      variant,
      parts.flatMap(({ files }) => files?.get(variant.dtype ?? "") ?? []),
    ),
  );

async function askListing({ repo, revision }: { repo: string; revision: string }, { hub, signal }: CheckTools) {
  const facts = await hub.revision(repo, revision, signal, ATTEMPTS);
  return { facts, files: await hub.files(repo, facts.commit, signal) };
}

const noFolder = (path: string): Difference => ({ about: path, expected: "a folder", found: "none" });

type Urls = Extract<Model["source"], { urls: unknown }>["urls"];

async function compareUrls(urls: Urls, { web, signal }: CheckTools): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const { url, bytes } of urls) {
    const patience = { timers: foregroundTimers, signal, attempts: ATTEMPTS };
    const found = await persist(() => lengthOfUrl(url, web, signal), patience).then(
      (length) => (length === bytes ? undefined : `${length} bytes`),
      (error: unknown) => {
        if (error instanceof ForecourtError && error.code === "weights_missing") return error.message;
        throw error;
      },
    );
    if (found !== undefined) differences.push({ about: url, expected: `${bytes} bytes`, found });
  }
  return differences;
}

type Reading = CheckTools & { folder: string; at: { repo: string; commit: string }; files: readonly HubFile[] };
type Ports = { graph: string } & (ReturnType<typeof portsOf> | { problem: Difference });

async function readPorts(model: Model, reading: Reading): Promise<Ports[]> {
  const parts = allVariants(model).map((variant) => partIn(variant, reading.folder));
  const { folder, pin } = await presenceOfSource({ parts, data: reading.data, caches: reading.caches ?? [] });
  const isSame = pin === undefined || pin.commit === reading.at.commit;
  const here = isSame ? folder : undefined;
  const read: Ports[] = [];
  for (const file of reading.files.filter(({ path }) => path.endsWith(".onnx"))) {
    const bytes = await bytesOf(file, here, reading);
    const graph = join(reading.folder, file.path);
    if (bytes) read.push({ graph, ...portsIn(bytes, graph) });
  }
  return read;
}

async function bytesOf(file: HubFile, folder: string | undefined, { at, ...tools }: Reading) {
  const path = folder === undefined ? undefined : join(folder, file.path);
  const isHere = path !== undefined && (await sizeOnDisk(path)) === file.bytes;
  if (isHere && file.bytes <= READ_BYTES) return new Uint8Array(await readFile(path));
  return file.bytes <= FETCHED_BYTES ? await fetchSmall({ ...at, file }, tools) : undefined;
}

function portsIn(bytes: Uint8Array, graph: string) {
  try {
    return portsOf(bytes);
  } catch (error) {
    if (!(error instanceof ForecourtError)) throw error;
    return { problem: { about: graph, expected: "an ONNX graph", found: error.message } };
  }
}
