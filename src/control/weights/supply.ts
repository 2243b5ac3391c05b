// Sees to it that models find their weights: what is here is used, what is missing is fetched, each model once at a time.
import { type Clock, systemClock } from "../../core/clock.ts";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Model } from "../../engine/model.ts";
import type { Settings } from "../settings.ts";
import { resolveWeights } from "./embedded.ts";
import { type FetchableSource, isFetchable, type Presence, presenceOf } from "./presence.ts";
import type { PullEvent } from "./progress.ts";
import type { HubAccess, PullLimits } from "./pull.ts";
import { pullModel } from "./pull-model.ts";
import { createTally, type Tally } from "./tally.ts";

export type Supply = {
  /**
   * The folder of the model's weights, once all are here. Throws `weights_missing` when they are not and cannot be had,
   * with the reason in its message, and `unavailable` after stop().
   */
  folderOf(model: Model): Promise<string>;
  /** Fetches in the background, one after the other in this order, unless the settings forbid it. */
  fetchAhead(models: readonly Model[]): void;
  /** How far the download is each time it got further; ends with it, at once if there is none. */
  watch(model: Model, signal: AbortSignal): AsyncGenerator<DownloadStep>;
  /** What of its weights is on this machine. */
  presenceOf(model: Model): Promise<Presence>;
  /** Ends all downloads; what arrived stays for the next start. */
  stop(): Promise<void>;
};

/** `at` and `of` are bytes of all files; zero until it is known what is wanted. */
export type DownloadStep = { at: number; of: number; files: { path: string; state: string; at: number; of: number }[] };

export type SupplyParts = {
  data: string;
  access: HubAccess;
  limits: PullLimits;
  when: Settings["weights"]["fetch"];
  log: Log;
  clock?: Clock;
};

type Flight = { folder: Promise<string>; tally: Tally; listeners: Set<() => void> };

/** A line in the log for each download that takes long. */
const LOG_EVERY_MS = 10_000;

export function createSupply({ data, access, limits, when, log, clock = systemClock }: SupplyParts): Supply {
  const flights = new Map<string, Flight>();
  const closing = new AbortController();
  const { signal } = closing;
  const { caches = [], isOffline = false } = access;
  let ahead = Promise.resolve();

  async function fetchInto({ tally, listeners }: Omit<Flight, "folder">, model: FetchableModel): Promise<string> {
    const tell = createReport({ model: model.id, tally, log, clock });
    const onProgress = (event: PullEvent) => {
      tally.take(event);
      tell(event);
      for (const listener of listeners) listener();
    };
    try {
      const { folder } = await pullModel({ model, data, access, limits, signal, onProgress });
      log.info("weights fetched", { model: model.id });
      return folder;
    } catch (error) {
      signal.throwIfAborted();
      throw notFetched(model, error);
    } finally {
      flights.delete(model.id);
      for (const listener of listeners) listener();
    }
  }

  function begin(model: FetchableModel): Flight {
    const watched = { tally: createTally(), listeners: new Set<() => void>() };
    const flight = { ...watched, folder: fetchInto(watched, model) };
    flights.set(model.id, flight);
    return flight;
  }

  async function folderOf(model: Model): Promise<string> {
    signal.throwIfAborted();
    const { id, source } = model;
    try {
      return await resolveWeights({ model, data, caches });
    } catch (error) {
      if (!isFetchable(source) || !isMissing(error)) throw error;
      if (isOffline || when === "never") throw notHere(model, isOffline);
      signal.throwIfAborted();
      return await (flights.get(id) ?? begin({ id, source })).folder;
    }
  }

  async function fetchAll(models: readonly Model[]): Promise<void> {
    for (const model of models) {
      try {
        await folderOf(model);
      } catch (error) {
        if (signal.aborted) return;
        log.warn("weights not fetched", { model: model.id, reason: toFailure(error).message });
      }
    }
  }

  return {
    folderOf,
    fetchAhead(models) {
      if (isOffline || when !== "ahead") return;
      ahead = fetchAll(models.filter(({ source }) => isFetchable(source)));
    },
    async *watch({ id }, left) {
      const flight = flights.get(id);
      while (flight && flights.get(id) === flight && !left.aborted) {
        const change = nextChange(flight, left);
        yield flight.tally.now() ?? { at: 0, of: 0, files: [] };
        await change;
      }
    },
    presenceOf: (model) => presenceOf({ model, data, caches }),
    async stop() {
      closing.abort(new ForecourtError("unavailable", "The server stops."));
      await Promise.allSettled([ahead, ...[...flights.values()].map(({ folder }) => folder)]);
    },
  };
}

type FetchableModel = { id: string; source: FetchableSource };

function nextChange({ listeners }: Flight, left: AbortSignal): Promise<void> {
  const { promise, resolve: onChange } = Promise.withResolvers<void>();
  const onLeave = () => onChange();
  listeners.add(onChange);
  left.addEventListener("abort", onLeave, { once: true });
  return promise.finally(() => {
    listeners.delete(onChange);
    left.removeEventListener("abort", onLeave);
  });
}

const isMissing = (error: unknown) => error instanceof ForecourtError && error.details?.reason === "offline";

function createReport({ model, tally, log, clock }: { model: string; tally: Tally; log: Log; clock: Clock }) {
  let toldAt = clock.now();
  return (event: PullEvent) => {
    if (event.type === "notice") return log.info("weights", { model, notice: event.message });
    if (event.type === "planned")
      return log.info("weights are fetched", { model, from: event.title, megabytes: Math.round(event.bytes / 1e6) });
    const now = clock.now();
    if (now - toldAt < LOG_EVERY_MS) return;
    toldAt = now;
    const { at, of } = tally.now() ?? { at: 0, of: 1 };
    log.info("weights are fetched", { model, percent: Math.floor((100 * at) / of) });
  };
}

const notHere = ({ id }: Model, isOffline: boolean) =>
  new ForecourtError(
    "weights_missing",
    `The weights of ${id} are not on this machine, and ${isOffline ? "hub.offline is set" : "weights.fetch is never"}. Run \`forecourt models pull ${id}\`${isOffline ? " with a network" : ""}.`,
    { details: { reason: isOffline ? "offline" : "not_fetched" } },
  );

function notFetched({ id }: FetchableModel, error: unknown): unknown {
  if (!(error instanceof ForecourtError)) return error;
  const { message, details } = toFailure(error);
  const wayOut =
    details?.reason === "unreachable"
      ? ". Where there is no network they come from another box: `forecourt models export` there, `forecourt models import` here"
      : "";
  return new ForecourtError("weights_missing", `The weights of ${id} could not be fetched: ${message}${wayOut}`, {
    details: { reason: error.code, ...details },
    cause: error,
  });
}
