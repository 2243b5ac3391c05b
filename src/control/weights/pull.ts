// The one call that turns the sources of a model's weights into a complete, checked folder on this machine.
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, systemClock, type Timers } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { foregroundTimers } from "../../core/wait.ts";
import { type Placed, type Sources, sourcesOf } from "../../engine/sources.ts";
import { createSlots, type Slots } from "../slots.ts";
import { adoptBlobs, findInCaches, isComplete, snapshotFolder } from "./disk/in-place.ts";
import { repoFolder, weightsRoot } from "./disk/layout.ts";
import { expectApart, putTogether, type Shelf } from "./disk/together.ts";
import { takeTurn } from "./disk/turn.ts";
import { openVerifier } from "./disk/verified.ts";
import type { DownloadTools } from "./download.ts";
import { type Fetching, fetchMissing } from "./fetch-missing.ts";
import { checkedEndpoint, createHub, DEFAULT_ENDPOINT } from "./hub.ts";
import { filesBelow } from "./library.ts";
import { bytesOf, type Plan, storePlan } from "./plan/plan.ts";
import { planHub } from "./plan/plan-hub.ts";
import { planUrls, urlFailure } from "./plan/plan-urls.ts";
import { createProgress, type Progress, type PullEvent, progressIn } from "./progress.ts";
import type { HubSource, UrlSource, WeightsSource } from "./source.ts";
import { type Bandwidth, unlimited } from "./transfer/bandwidth.ts";
import { type PatienceOptions, waitText } from "./transfer/patience.ts";
import { createWeb, type WebOptions } from "./transfer/web.ts";

/** How this box reaches the Hub, and what it may reuse. */
export type HubAccess = {
  /** Default https://huggingface.co; a mirror keeps its paths. */
  endpoint?: string;
  /** Sent to the endpoint's origin only. */
  token?: string;
  /** Existing Hugging Face caches (`.../hub`), read where they are and never written. */
  caches?: readonly string[];
} & Pick<WebOptions, "proxy" | "admit" | "isOffline">;

/** Shared by the pulls of one process; both default to none shared. */
export type PullLimits = { bandwidth?: Bandwidth; slots?: Slots };

export type PullOrder = Sources<WeightsSource> & {
  /** The data directory. */
  data: string;
  access?: HubAccess;
  limits?: PullLimits;
  signal?: AbortSignal;
  onProgress?: (event: PullEvent) => void;
  /** For tests: time, chance and sizes. */
  tuning?: Partial<Pick<DownloadTools, "pieceBytes" | "stall" | "random">> & {
    timers?: Timers;
    clock?: Clock;
    reserveBytes?: number;
  };
};

export type PulledWeights = {
  /** Complete, read-only: below the data directory, in a Hugging Face cache, or the folder that was given. */
  folder: string;
  /** What `revision` was, 40 hex digits; absent for a folder of this machine. */
  commit?: string;
  /** The same of each source beside it that is fetched; absent where none is. */
  beside?: Record<string, { commit: string }>;
};

/** Connections of one pull together, unless the caller shares its own. */
const CONNECTIONS = 8;

/**
 * Safe to call at any time and from several processes: what is complete is returned at once (without a request, if the
 * revision is a commit), one pull of a repository runs at a time and the others wait for it, and an interrupted one goes
 * on where it stopped. Of several sources all are planned, and the disk is asked for room for all, before the first byte of
 * one is fetched. With `access.isOffline` it only looks. Throws `weights_missing` (with `details.reason`), `unavailable`,
 * `misconfigured`, or the signal's reason.
 */
export async function pull(order: PullOrder): Promise<PulledWeights> {
  const work = prepare(order);
  const sources = sourcesOf(order);
  const parts: Wanted[] = [];
  for (const each of sources) parts.push(await wanted(each, { ...work, isAlone: sources.length === 1 }));
  expectApart(parts);
  const planned = parts.filter(isPlanned);
  tellPlanned(planned, work);
  const folder = await putTogether(work.root, await shelve(parts, work));
  for (const { plan, progress } of planned) for (const file of plan.files) progress.file(file, "done", file.bytes);
  const [own, beside] = [planned.filter((part) => part.folder === ""), planned.filter((part) => part.folder !== "")];
  return {
    folder,
    ...(own[0] && { commit: own[0].plan.commit }),
    ...(beside.length > 0 && {
      beside: Object.fromEntries(beside.map((part) => [part.folder, { commit: part.plan.commit }])),
    }),
  };
}

type Work = ReturnType<typeof prepare>;

/** A source of which it is known what is to be had, or where it is. */
type Wanted = PlannedPart | Shelf;
type PlannedPart = Planned & { folder: string; files: readonly string[]; progress: Progress };

const isPlanned = (part: Wanted): part is PlannedPart => "plan" in part;

async function wanted({ folder, source }: Placed<WeightsSource>, work: Work & { isAlone: boolean }): Promise<Wanted> {
  if ("path" in source) {
    const at = await localFolder(source.path);
    return { folder, at, files: work.isAlone && folder === "" ? [] : await filesBelow(at) };
  }
  const planned = await ("repo" in source ? planOfHub(source, work) : planOfUrls(source, work));
  const files = planned.plan.files.map(({ path }) => path);
  return { ...planned, folder, files, progress: progressIn(work.progress, folder) };
}

function tellPlanned(parts: readonly PlannedPart[], { tell }: Work): void {
  if (parts.length === 0) return;
  const files = parts.flatMap(({ folder, plan }) =>
    plan.files.map(({ path, bytes }) => ({ path: join(folder, path), bytes })),
  );
  const title = parts.map(({ plan }) => plan.title).join(", ");
  const commits = parts.map(({ plan }) => plan.commit);
  tell({ type: "planned", title, commits, files, bytes: bytesOf(files) });
}

/** What is here is looked for first, so that the room for all that is missing is known. */
async function shelve(parts: readonly Wanted[], work: Work): Promise<Shelf[]> {
  const here = new Map<Wanted, string>();
  for (const part of parts) {
    const at = isPlanned(part) ? await present(part, work) : part.at;
    if (at !== undefined) here.set(part, at);
  }
  const missing = parts.filter(isPlanned).filter((part) => !here.has(part));
  for (const [at, part] of missing.entries()) {
    const later = missing.slice(at + 1).map(({ plan }) => plan);
    here.set(part, await fetched(part, { ...work, later }));
  }
  return parts.map((part) => ({ folder: part.folder, files: part.files, at: here.get(part) ?? "" }));
}

function prepare({ data, access = {}, limits = {}, signal, onProgress, tuning = {} }: PullOrder) {
  const { token, proxy, admit, isOffline = false, caches = [] } = access;
  const endpoint = checkedEndpoint(access.endpoint ?? DEFAULT_ENDPOINT);
  const { timers = foregroundTimers, clock = systemClock, reserveBytes, ...sizes } = tuning;
  const tell = onProgress ?? (() => {});
  const progress: Progress = createProgress(tell, clock);
  const web = createWeb({
    isOffline,
    ...(token && { credentials: { origin: new URL(endpoint).origin, token } }),
    ...(proxy && { proxy }),
    ...(admit && { admit }),
  });
  const patience: PatienceOptions = {
    timers,
    signal: signal ?? new AbortController().signal,
    ...(sizes.random && { random: sizes.random }),
    onWait: (wait) => progress.notice(waitText(wait)),
  };
  const tools: DownloadTools = {
    web,
    timers,
    bandwidth: limits.bandwidth ?? unlimited,
    slots: limits.slots ?? createSlots(CONNECTIONS),
    ...sizes,
  };
  const hub = createHub({ ...patience, endpoint, hasToken: Boolean(token), web });
  return { root: weightsRoot(data), caches, hub, web, patience, tools, progress, tell, isOffline, reserveBytes };
}

type Planned = { plan: Plan; explain: Fetching["explain"] };

async function planOfHub(source: HubSource, { hub, root, caches, patience, progress }: Work): Promise<Planned> {
  const { signal } = patience;
  const plan = await planHub({ source, hub, roots: [root, ...caches], signal, onNotice: progress.notice });
  const { commit: revision } = plan;
  return { plan, explain: ({ path }) => hub.explain({ repo: source.repo, revision, path }) };
}

async function planOfUrls(source: UrlSource, { root, web, patience }: Work): Promise<Planned> {
  const plan = await planUrls(source, { root, web, patience });
  return {
    plan,
    explain:
      ({ url }) =>
      async (response) =>
        urlFailure(url)(response),
  };
}

async function present(
  { plan, progress }: PlannedPart,
  { root, caches, isOffline, patience: { signal } }: Work,
): Promise<string | undefined> {
  const own = snapshotFolder(root, plan);
  if (await isComplete(own, plan)) {
    // Another model's plan may have brought the files.
    if (!isOffline) await storePlan(repoFolder(root, plan.folderName), plan);
    return own;
  }
  if (caches.length === 0) return undefined;
  const verifier = await openVerifier(root, plan.folderName);
  const found = await findInCaches({ plan, caches, verifier, progress, signal });
  // Then the box knows what is wanted of it even without a network.
  if (found !== undefined) await storePlan(repoFolder(root, plan.folderName), plan);
  return found;
}

async function fetched(
  { plan, explain, progress }: PlannedPart,
  work: Work & { later: readonly Plan[] },
): Promise<string> {
  const { root, caches, tools, patience, isOffline, reserveBytes, later } = work;
  if (isOffline) throw notHere(plan);
  const { signal, timers } = patience;
  await mkdir(root, { recursive: true });
  using _turn = await takeTurn({ root, plan, progress, timers, signal });
  const folder = snapshotFolder(root, plan);
  if (await isComplete(folder, plan)) return folder;
  if (caches.length > 0) {
    const verifier = await openVerifier(root, plan.folderName);
    await adoptBlobs(root, { plan, caches, verifier, progress, signal });
  }
  await fetchMissing({
    root,
    plan,
    later,
    tools,
    explain,
    progress,
    signal,
    ...(reserveBytes !== undefined && { reserveBytes }),
  });
  return folder;
}

const notHere = ({ title, commit }: Plan) =>
  new ForecourtError(
    "weights_missing",
    `Not all files of ${title} (${commit.slice(0, 12)}) are on this machine, and hub.offline is set.`,
    { details: { reason: "offline" } },
  );

async function localFolder(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return path;
  throw new ForecourtError(
    "weights_missing",
    `There is no folder ${path} on this machine, which the model's file names as source.path.`,
    {
      details: { reason: "folder_not_found" },
    },
  );
}
