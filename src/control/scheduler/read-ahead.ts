// Which model's weights are read into the page cache before it is loaded: one that waits for memory, else the likely next.
import type { Clock } from "../../core/clock.ts";
import type { ModelId } from "../../core/ids.ts";
import type { Instant } from "../../core/units.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Experience } from "./experience.ts";
import type { Preparation } from "./preparation.ts";
import type { Facts } from "./situation.ts";

export type ReadAhead = {
  look(facts: Facts): void;
  /** Somebody's weights may be read although no job waits. */
  isDue(now: Instant): boolean;
  /** Where the weights lie of a model that is being loaded. */
  note(model: ModelId, folder: string): void;
  /** They lie elsewhere now, or the model is gone. */
  forget(model: ModelId): void;
};

export type ReadAheadParts = {
  catalog: Pick<Catalog, "find">;
  fleet: Pick<Fleet, "readAhead">;
  experience: Pick<Experience, "rate">;
  preparation: Pick<Preparation, "folder">;
  /** Main memory that nobody needs; what is read beyond it would push out what was read before. */
  freeMemory?: () => number;
  clock: Clock;
};

/** Until then the kernel is trusted to have kept what was read. */
const KEPT_MS = 600_000;
/** Of the free main memory. */
const SHARE = 0.5;

export function createReadAhead(parts: ReadAheadParts): ReadAhead {
  const { catalog, fleet, experience, preparation, freeMemory = () => process.availableMemory(), clock } = parts;
  const readAt = new Map<ModelId, Instant>();
  /** Of models that were loaded before: asking anew where others' lie could begin a download. */
  const folders = new Map<ModelId, string>();
  let nextGuessAt = 0;

  const isDue = (model: ModelId, now: Instant) => now - (readAt.get(model) ?? Number.NEGATIVE_INFINITY) >= KEPT_MS;
  function read(model: ModelId, folder: string, now: Instant): void {
    const size = catalog.find(model)?.model.memory.weights ?? Number.POSITIVE_INFINITY;
    if (size <= SHARE * freeMemory() && fleet.readAhead(folder)) readAt.set(model, now);
  }
  /** The one that is asked for most of those that are not loaded. */
  function likely(loaded: ReadonlySet<ModelId>, now: Instant): ModelId | undefined {
    let [best, most]: [ModelId | undefined, number] = [undefined, 0];
    for (const model of folders.keys()) {
      const rate = loaded.has(model) || !isDue(model, now) ? 0 : experience.rate(model);
      if (rate > most) [best, most] = [model, rate];
    }
    return best;
  }

  return {
    look({ now, jobs, runners }) {
      const loaded = new Set(runners.map(({ model }) => model));
      const inLine = new Set(jobs.map(({ model }) => model).filter((model) => !loaded.has(model)));
      for (const model of inLine) {
        // Its waiting job has asked for them already.
        const folder = isDue(model, now) ? preparation.folder(model) : undefined;
        if (folder !== undefined) return read(model, folder, now);
      }
      const isLoading = runners.some(({ state }) => state === "starting");
      if (inLine.size > 0 || isLoading || now < nextGuessAt) return;
      nextGuessAt = now + GUESS_PERIOD_MS;
      const model = likely(loaded, now);
      const folder = model && folders.get(model);
      if (model !== undefined && folder !== undefined) read(model, folder, now);
    },
    isDue: (now) => now >= nextGuessAt,
    forget(model) {
      folders.delete(model);
      readAt.delete(model);
    },
    note: (model, folder) => {
      folders.set(model, folder);
      readAt.set(model, clock.now());
    },
  };
}

/** The ranks of models change slowly, and the disk is others' as well. */
const GUESS_PERIOD_MS = 30_000;
