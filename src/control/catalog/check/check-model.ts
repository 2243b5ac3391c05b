// Compares a model file with what the Hub, or another server, has today; nothing is downloaded but small graph files.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ForecourtError } from "../../../core/errors.ts";
import type { Model } from "../../../engine/model.ts";
import { portsOf } from "../../../engine/onnx-file/ports.ts";
import { allVariants } from "../../../engine/variants.ts";
import { sizeOnDisk } from "../../weights/disk/snapshot.ts";
import { fetchSmall } from "../../weights/fetch-small.ts";
import type { Hub, HubFile, RevisionFacts } from "../../weights/hub.ts";
import { lengthOfUrl } from "../../weights/plan/plan-urls.ts";
import { presenceOfAll } from "../../weights/presence.ts";
import { persist } from "../../weights/transfer/patience.ts";
import { foregroundTimers } from "../../weights/transfer/wait.ts";
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
    const { id, source } = model;
    const nothing = { model: id, differences: [], graphsRead: [] };
    if ("embedded" in source) return nothing;
    if ("path" in source) return { ...nothing, differences: existsSync(source.path) ? [] : [noFolder(source.path)] };
    try {
      if ("urls" in source) return { ...nothing, differences: await compareUrls(source.urls, tools) };
      const { facts, files: listing } = await listingOf(source.repo, source.revision);
      const variants = allVariants(model).map((variant) => compareVariant(variant, listing));
      const files = new Set(variants.flatMap((each) => each.files));
      const at = { repo: source.repo, commit: facts.commit };
      const ports = await readPorts(model, { ...tools, at, files: [...files] });
      const differences = [
        ...variants.flatMap((each) => each.differences),
        ...compareTerms(model, facts),
        ...ports.flatMap((each) => ("problem" in each ? [each.problem] : comparePorts(model, each))),
      ];
      // What all variants have in common is told once.
      const told = new Map(differences.map((difference) => [JSON.stringify(difference), difference]));
      return {
        model: id,
        commit: facts.commit,
        differences: [...told.values()],
        graphsRead: ports.map(({ graph }) => graph),
      };
    } catch (error) {
      if (!(error instanceof ForecourtError) || error.code === "unavailable") throw error;
      const about = "repo" in source ? source.repo : "source";
      return { ...nothing, differences: [{ about, expected: "to be there", found: error.message }] };
    }
  };
}

function compareVariant(variant: Model, listing: readonly HubFile[]) {
  const { source } = variant;
  if (!("repo" in source)) return { files: [], differences: [] };
  const { files, differences } = compareFiles(source, listing);
  return { files, differences: [...differences, ...compareGraphs(variant, files)] };
}

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

type Reading = CheckTools & { at: { repo: string; commit: string }; files: readonly HubFile[] };
type Ports = { graph: string } & (ReturnType<typeof portsOf> | { problem: Difference });

async function readPorts(model: Model, reading: Reading): Promise<Ports[]> {
  const variants = allVariants(model);
  const { folder, pin } = await presenceOfAll({ variants, data: reading.data, caches: reading.caches ?? [] });
  const isSame = pin === undefined || pin.commit === reading.at.commit;
  const here = isSame ? folder : undefined;
  const read: Ports[] = [];
  for (const file of reading.files.filter(({ path }) => path.endsWith(".onnx"))) {
    const bytes = await bytesOf(file, here, reading);
    if (bytes) read.push({ graph: file.path, ...portsIn(bytes, file.path) });
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
