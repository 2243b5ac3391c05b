// Downloads under way, one for each variant of a model.
import type { Clock, Timers } from "../../core/clock.ts";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Model } from "../../engine/model.ts";
import { partsOf } from "../../engine/sources.ts";
import type { PullEvent } from "./progress.ts";
import type { HubAccess, PullLimits } from "./pull.ts";
import { pullModel } from "./pull-model.ts";
import { createTally, type Tally } from "./tally.ts";
import { createUnreached } from "./unreached.ts";

/** `listeners` hear each time that it got further, and of its end. */
export type Flight = { model: Model; folder: Promise<string>; tally: Tally; listeners: Set<() => void> };

export type Flights = {
  of(variant: Model): Flight | undefined;
  /** In the order in which they were begun. */
  all(): Flight[];
  /** The one that there is, or a new one. Throws `weights_missing` where the same could not be reached a moment ago. */
  join(variant: Model): Flight;
};

type Parts = {
  data: string;
  access: HubAccess;
  limits: PullLimits;
  log: Log;
  clock: Clock;
  timers?: Timers | undefined;
  signal: AbortSignal;
};

/** A line in the log for each download that takes long. */
const LOG_EVERY_MS = 10_000;

export function createFlights({ log, clock, timers, ...order }: Parts): Flights {
  const flights = new Map<string, Flight>();
  const unreached = createUnreached(clock);
  const tuning = timers && { tuning: { timers } };

  async function fetchInto({ model, tally, listeners }: Omit<Flight, "folder">): Promise<string> {
    const tell = createReport({ model: model.id, tally, log, clock });
    const onProgress = (event: PullEvent) => {
      tally.take(event);
      tell(event);
      for (const listener of listeners) listener();
    };
    try {
      const { folder } = await pullModel({ model, ...order, onProgress, ...tuning });
      log.info("weights fetched", { model: model.id });
      return folder;
    } catch (error) {
      order.signal.throwIfAborted();
      unreached.note(keyOf(model), error);
      throw notFetched(model, error);
    } finally {
      flights.delete(keyOf(model));
      for (const listener of listeners) listener();
    }
  }

  function begin(model: Model): Flight {
    const error = unreached.lately(keyOf(model));
    if (error) throw notFetched(model, error);
    const watched = { model, tally: createTally(), listeners: new Set<() => void>() };
    const flight = { ...watched, folder: fetchInto(watched) };
    flights.set(keyOf(model), flight);
    return flight;
  }

  return {
    of: (model) => flights.get(keyOf(model)),
    all: () => [...flights.values()],
    join: (model) => flights.get(keyOf(model)) ?? begin(model),
  };
}

/** Of one model several variants may be fetched, and its file may come to name other sources while they are. */
const keyOf = (model: Model) => JSON.stringify([model.dtype, partsOf(model)]);

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

export const named = ({ id, dtype }: Pick<Model, "id" | "dtype">) => (dtype === undefined ? id : `${id} in ${dtype}`);

function notFetched(model: Model, error: unknown): unknown {
  if (!(error instanceof ForecourtError)) return error;
  const { message, details } = toFailure(error);
  return new ForecourtError("weights_missing", `The weights of ${named(model)} could not be fetched: ${message}`, {
    details: { reason: error.code, ...details },
    cause: error,
  });
}
