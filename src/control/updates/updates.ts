// New revisions of weights: found, fetched beside the old ones, tried, and only then the model's.
import type { Clock, Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import { type Failure, ForecourtError } from "../../core/errors.ts";
import { asId, type ModelId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import { milliseconds } from "../../core/units.ts";
import type { Model } from "../../engine/model.ts";
import { type Part, type RepoSource, repoPartsOf } from "../../engine/sources.ts";
import type { Catalog, CatalogEntry } from "../catalog/catalog.ts";
import { matchesModel } from "../keys/patterns.ts";
import type { VariantsHere } from "../variants-here.ts";
import { folderNameOf, isCommit, repoFolder, weightsRoot } from "../weights/disk/layout.ts";
import type { Hub } from "../weights/hub.ts";
import { listWeights, removeWeights } from "../weights/library.ts";
import { keepPin, pinOf, sourceAt } from "../weights/pins.ts";
import { type PlannedFile, recallPlan } from "../weights/plan/plan.ts";
import { questionOf } from "../weights/plan/plan-hub.ts";
import { type Place, placesOf, presenceOfAll } from "../weights/presence.ts";
import { type HubAccess, type PullLimits, pull } from "../weights/pull.ts";
import { settledSources } from "../weights/settled.ts";
import { reasonOf } from "./try-weights.ts";
import type { Update, UpdateStore } from "./update-store.ts";
import type { FirstLoads } from "./watch-first-load.ts";

/** Of one source of a model; `beside` names which one, where it is not its own. */
export type Updated = { model: string; beside?: string; from?: string; to?: string } & (
  | { state: "current" | "installed" }
  /** `absent`: its weights are not here. `postponed`: there was no room for a trial. */
  | { state: "absent" | "postponed" | "failed"; reason: string }
);

export type Updates = {
  /**
   * Of each of its repositories, one after the other; now, whatever came of these revisions before. Throws `bad_request`
   * for models without a repository, and the Hub's errors.
   */
  update(entry: CatalogEntry): Promise<Updated[]>;
  /** Of all sources that follow a branch, past those that fail. */
  updateAll(): Promise<Updated[]>;
  /** Latest first. */
  history(model: string): Update[];
  start(): void;
  stop(): Promise<void>;
};

export type UpdateParts = {
  catalog: Catalog;
  data: string;
  hub: Hub;
  access: HubAccess;
  limits: PullLimits;
  store: UpdateStore;
  /** Ids and patterns of models that follow their branch although their files do not say so. */
  track: readonly string[];
  /** Between two looks; 0: none by itself. */
  everyMs: number;
  variantsOf: VariantsHere;
  /** Room for a trial of one of its variants; undefined when there is none. */
  hold(entry: CatalogEntry, variant: Model): (Disposable & { device: Device }) | undefined;
  tryOut(trial: { entry: CatalogEntry; weights: string; device: Device; signal: AbortSignal }): Promise<number>;
  /** The model has other weights now. */
  onInstalled(model: ModelId): void;
  /** Absent where nothing is served. */
  firstLoads?: FirstLoads | undefined;
  clock: Clock;
  timers: Timers;
  log: Log;
};

/** A box that was just started has other work. */
const FIRST_LOOK_MS = 5 * 60 * 1000;
const ATTEMPTS = 3;

export function createUpdates(parts: UpdateParts): Updates {
  const { catalog, store, track, everyMs, timers, log } = parts;
  const closing = new AbortController();
  const { signal } = closing;
  let callOff = () => {};
  /** One at a time: two trials are more than a box has room for. */
  let last: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act, act);
    last = turn.catch(() => {});
    return turn;
  };
  const onNotLoaded = (part: RepoPart, revisions: Revisions) => (failure: Failure) => {
    void inTurn(() => takeBack(part, { ...parts, ...revisions, failure }));
  };
  const task = { ...parts, signal, onNotLoaded };
  const tracked = () =>
    catalog.list().flatMap((entry) => {
      const { model } = entry;
      const isTracked = matchesModel(track, [model.id, ...model.aliases]);
      const followed = repoPartsOf(model).filter(({ source }) => isTracked || source.track !== undefined);
      return followed.map((part) => ({ entry, part }));
    });
  const updateAll = async (): Promise<Updated[]> => {
    const results: Updated[] = [];
    for (const { entry, part } of tracked()) {
      signal.throwIfAborted();
      try {
        results.push(await inTurn(() => updatePart(entry, { ...task, part, again: false })));
      } catch (error) {
        if (signal.aborted) break;
        const { repo } = part.source;
        log.warn("no new revision could be looked for", { model: part.id, repo, reason: reasonOf(error) });
        results.push({ ...nameOf(part), state: "failed", reason: reasonOf(error) });
      }
    }
    return results;
  };
  const lookIn = (delay: number) => {
    callOff = timers.after(milliseconds(delay), () => {
      void updateAll()
        .catch(() => {}) // stopped
        .then(() => {
          if (!signal.aborted) lookIn(everyMs);
        });
    });
  };

  return {
    updateAll,
    update: (entry) => inTurn(() => updateModel(entry, { ...task, again: true })),
    history: (model) => store.list(model),
    start() {
      if (everyMs > 0) lookIn(Math.min(FIRST_LOOK_MS, everyMs));
    },
    async stop() {
      callOff();
      parts.firstLoads?.stop();
      closing.abort(new ForecourtError("unavailable", "The server stops."));
      await last;
    },
  };
}

type RepoPart = Part<RepoSource>;

type Task = UpdateParts & {
  signal: AbortSignal;
  again: boolean;
  onNotLoaded(part: RepoPart, revisions: Revisions): (failure: Failure) => void;
};

const nameOf = ({ id, folder }: RepoPart) => ({ model: id, ...(folder !== "" && { beside: folder }) });

async function updateModel(entry: CatalogEntry, task: Task): Promise<Updated[]> {
  const parts = repoPartsOf(entry.model);
  if (parts.length === 0)
    throw new ForecourtError("bad_request", `The weights of ${entry.model.id} come from no repository with revisions.`);
  const results: Updated[] = [];
  for (const part of parts) results.push(await updatePart(entry, { ...task, part }));
  return results;
}

type Updating = Task & { part: RepoPart };

/** A trial is of the whole model, with this source alone at another commit. */
async function updatePart(entry: CatalogEntry, task: Updating): Promise<Updated> {
  const { part, data, access, limits, hub, store, signal, variantsOf } = task;
  const { model } = entry;
  const { folder, source } = part;
  const from = await commitHere(entry, task);
  if (from === undefined)
    return { ...nameOf(part), state: "absent", reason: `Run \`forecourt models pull ${model.id}\` first.` };
  const { commit: to } = await hub.revision(source.repo, branchOf(source), signal, ATTEMPTS);
  if (to === from) return { ...nameOf(part), state: "current", from };
  const [before] = store.list(model.id, { repo: source.repo, limit: 1 });
  if (!task.again && before?.state === "failed" && before.to === to)
    return { ...nameOf(part), state: "failed", from, to, reason: before.reason };
  const weights = new Map<Model, string>();
  for (const variant of variantsOf(model)) {
    const sources = await settledSources(variant, data, { [folder]: to });
    weights.set(variant, (await pull({ ...sources, data, access, limits, signal })).folder);
  }
  const parts = variantsOf(model)
    .flatMap(repoPartsOf)
    .filter((each) => each.folder === folder);
  const same = await Promise.all(parts.map((each) => isSame(each.source, { from, to, data })));
  if (same.every(Boolean)) {
    await keepPin(part, { commit: to, at: task.clock.now() }, data);
    return { ...nameOf(part), state: "current", from: to };
  }
  return await install(entry, { ...task, weights, from, to });
}

/** The one that its file names for this, else its own, where that is no commit. */
const branchOf = ({ revision, track }: RepoSource) => track ?? (isCommit(revision) ? "main" : revision);

/** Undefined too while anything of the model is missing, since it cannot be tried then. */
async function commitHere({ model }: CatalogEntry, { part, data, access, variantsOf }: Updating) {
  const { state } = await presenceOfAll({ variants: variantsOf(model), data, caches: access.caches ?? [] });
  if (state !== "complete") return undefined;
  return (await placesOf(model, data)).find(({ folder }) => folder === part.folder)?.commit;
}

type Revisions = { from: string; to: string };

/** A commit may change only what the model does not use. */
async function isSame(source: RepoSource, { from, to, data }: Revisions & { data: string }): Promise<boolean> {
  const folder = repoFolder(weightsRoot(data), folderNameOf(source.repo));
  const filesAt = async (commit: string) => {
    if ("files" in source && commit === source.revision)
      return source.files.map(({ path, sha256 }) => ({ path, digest: { algorithm: "sha256" as const, hex: sha256 } }));
    return (await recallPlan(folder, commit, questionOf(sourceAt(source, commit))))?.files;
  };
  const [old, fresh] = [await filesAt(from), await filesAt(to)];
  return old !== undefined && fresh !== undefined && listOf(old) === listOf(fresh);
}

const listOf = (files: readonly Pick<PlannedFile, "path" | "digest">[]) =>
  JSON.stringify(files.map(({ path, digest }) => [path, digest.hex]).sort());

/** `weights`: the folder to try, of each variant. */
type Installing = Updating & Revisions & { weights: ReadonlyMap<Model, string> };

async function install(entry: CatalogEntry, task: Installing): Promise<Updated> {
  const { part, from, to, data, store, clock, log, signal } = task;
  const { id, folder, source } = part;
  const about = { model: id, repo: source.repo, from, to };
  const failed = async (reason: string): Promise<Updated> => {
    store.add({ ...about, state: "failed", reason, at: clock.now() });
    log.error("a new revision failed its trial, the model stays as it was", { ...about, reason });
    await discard({ ...task, commit: to });
    return { ...nameOf(part), state: "failed", from, to, reason };
  };
  for (const [variant, weights] of task.weights) {
    using room = task.hold(entry, variant);
    if (!room) {
      const reason = "There is no room in memory for its trial now.";
      log.warn("a new revision waits", { ...about, reason });
      return { ...nameOf(part), state: "postponed", from, to, reason };
    }
    try {
      const tried = { ...entry, model: variant };
      const examples = await task.tryOut({ entry: tried, weights, device: room.device, signal });
      log.info("a new revision passed its trial", { ...about, examples, device: room.device.id });
    } catch (error) {
      signal.throwIfAborted();
      return await failed(reasonOf(error));
    }
  }
  await keepPin(part, { commit: to, at: clock.now() }, data);
  store.add({ ...about, state: "installed", at: clock.now() });
  const model = asId<ModelId>(id);
  task.firstLoads?.watch({ model, folder }, task.onNotLoaded(part, { from, to }));
  task.onInstalled(model);
  await tidy(task);
  return { ...nameOf(part), state: "installed", from, to };
}

type TakingBack = UpdateParts & Revisions & { failure: Failure };

/** What passed its trial and did not load where the model serves; `from` is still on the disk. */
async function takeBack(part: RepoPart, { from, to, failure, data, store, clock, log, ...task }: TakingBack) {
  const { id, source } = part;
  if ((await pinOf(part, data))?.commit !== to) return;
  await keepPin(part, { commit: from, at: clock.now() }, data);
  const reason = `It passed its trial and then did not load: ${failure.message}`;
  store.add({ model: id, repo: source.repo, from, to, state: "failed", reason, at: clock.now() });
  log.error("a new revision is taken back", { model: id, repo: source.repo, from, to, reason });
  task.onInstalled(asId<ModelId>(id));
}

/** What was the model's before `from`: `from` itself stays, since its runners may still open files of it. */
async function tidy(task: Installing): Promise<void> {
  const { id, source } = task.part;
  const past = task.store.list(id, { repo: source.repo });
  const earlier = new Set(past.flatMap(({ state, from }) => (state === "installed" ? [from] : [])));
  earlier.delete(task.from);
  earlier.delete(task.to);
  for (const commit of earlier) await discard({ ...task, commit });
}

/** Unless it is another model's. */
async function discard({ part, commit, catalog, data, log }: Installing & { commit: string }) {
  const { id, source } = part;
  try {
    const folderName = folderNameOf(source.repo);
    const isIt = (each: Place) => each.folderName === folderName && each.commit === commit;
    for (const { model } of catalog.list()) if (model.id !== id && (await placesOf(model, data)).some(isIt)) return;
    const weights = (await listWeights({ data })).find(isIt);
    if (weights) await removeWeights({ data, weights });
  } catch (error) {
    log.warn("weights that are of no use could not be removed", { model: id, commit, reason: reasonOf(error) });
  }
}
