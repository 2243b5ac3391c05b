// Sees to it that models find their weights: what is here is used, what is missing is fetched, each model once at a time.
import { type Clock, systemClock, type Timers } from "../../core/clock.ts";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Model } from "../../engine/model.ts";
import { isFetched } from "../../engine/sources.ts";
import type { Settings } from "../settings.ts";
import type { VariantsHere } from "../variants-here.ts";
import { resolveWeights } from "./embedded.ts";
import { createFlights, type Flight, named } from "./flights.ts";
import { type Presence, presenceOfAll } from "./presence.ts";
import type { HubAccess, PullLimits } from "./pull.ts";

export type Supply = {
  /**
   * The folder of the weights of a model as it runs on one kind of device, once all are here. Throws `weights_missing` when they are not and cannot be had,
   * with the reason in its message, and `unavailable` after stop(). Where they come from could not be reached a moment ago: thrown at once.
   */
  folderOf(variant: Model): Promise<string>;
  /** The same of what is here; throws otherwise. */
  folderHere(variant: Model): Promise<string>;
  /** Fetches what this box needs of them in the background, one after the other in this order, unless the settings forbid it. */
  fetchAhead(models: readonly Model[]): void;
  /** How far the download is each time it got further; ends with it, at once if there is none. */
  watch(model: Model, signal: AbortSignal): AsyncGenerator<DownloadStep>;
  /** All that are under way, in the order in which they were begun. */
  downloads(): Download[];
  /** What is on this machine of the weights that it needs here. */
  presenceOf(model: Model): Promise<Presence>;
  /** Ends all downloads; what arrived stays for the next start. */
  stop(): Promise<void>;
};

/** `at` and `of` are bytes of all files; zero until it is known what is wanted. */
export type DownloadStep = { at: number; of: number; files: { path: string; state: string; at: number; of: number }[] };

export type Download = {
  model: string;
  dtype?: string;
  /** Bytes; both zero until it is known what is wanted. */
  at: number;
  of: number;
  /** What it waits for, while no bytes come. */
  notice?: string;
};

export type SupplyParts = {
  data: string;
  access: HubAccess;
  limits: PullLimits;
  when: Settings["weights"]["fetch"];
  variantsOf: VariantsHere;
  log: Log;
  clock?: Clock;
  /** Of the waits between attempts. */
  timers?: Timers;
};

export function createSupply(parts: SupplyParts): Supply {
  const { data, access, limits, when, variantsOf, log, clock = systemClock, timers } = parts;
  const closing = new AbortController();
  const { signal } = closing;
  const flights = createFlights({ data, access, limits, log, clock, timers, signal });
  const { caches = [], isOffline = false } = access;
  let ahead = Promise.resolve();

  async function folderOf(model: Model): Promise<string> {
    signal.throwIfAborted();
    try {
      return await resolveWeights({ model, data, caches });
    } catch (error) {
      if (!isFetched(model) || !isMissing(error)) throw error;
      if (isOffline || when === "never") throw notHere(model, isOffline);
      signal.throwIfAborted();
      return await flights.join(model).folder;
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
    folderHere: (model) => resolveWeights({ model, data, caches }),
    fetchAhead(models) {
      if (isOffline || when !== "ahead") return;
      ahead = ahead.then(() => fetchAll(models.filter(isFetched).flatMap(variantsOf)));
    },
    async *watch(model, left) {
      const present = () => variantsOf(model).flatMap((variant) => flights.of(variant) ?? [])[0];
      for (let flight = present(); flight && !left.aborted; flight = present()) {
        const change = nextChange(flight, left);
        yield flight.tally.now() ?? { at: 0, of: 0, files: [] };
        await change;
      }
    },
    downloads: () => flights.all().map(downloadOf),
    presenceOf: (model) => presenceOfAll({ variants: variantsOf(model), data, caches }),
    async stop() {
      closing.abort(new ForecourtError("unavailable", "The server stops."));
      await Promise.allSettled([ahead, ...flights.all().map(({ folder }) => folder)]);
    },
  };
}

function downloadOf({ model: { id, dtype }, tally }: Flight): Download {
  const { at, of } = tally.now() ?? { at: 0, of: 0 };
  const notice = tally.notice();
  return { model: id, ...(dtype !== undefined && { dtype }), at, of, ...(notice !== undefined && { notice }) };
}

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

const notHere = (model: Model, isOffline: boolean) =>
  new ForecourtError(
    "weights_missing",
    `The weights of ${named(model)} are not on this machine, and ${isOffline ? "hub.offline is set" : "weights.fetch is never"}. Run \`forecourt models pull ${model.id}\`${isOffline ? " with a network" : ""}.`,
    { details: { reason: isOffline ? "offline" : "not_fetched" } },
  );
