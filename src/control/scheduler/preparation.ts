// What a job needs before it can be placed: its model's weights on disk and its input's media fetched.
import { type Failure, toFailure } from "../../core/errors.ts";
import type { FileToken, JobId, ModelId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import type { InputMedia } from "../storage/input-media.ts";

/** Something that takes a while and is asked for again when it is done. */
export type Readiness<T> = { type: "pending" } | { type: "ready"; value: T } | { type: "failed"; failure: Failure };

export type Preparation = {
  /** The folder of the model's weights. */
  weights(entry: CatalogEntry): Readiness<string>;
  /** Files for the URLs of a job's input. */
  media(job: Pick<Job, "id" | "input" | "files" | "key">, entry: CatalogEntry): Readiness<Record<string, string>>;
  /** Weights may change between two loads: they are looked up anew each time. */
  forgetWeights(model: ModelId): void;
  /** Removes what was fetched for a job; a fetch that is under way ends and leaves nothing. */
  forgetMedia(id: JobId): void;
  /** Jobs whose media are fetched or being fetched. */
  jobs(): Iterable<JobId>;
};

export type PreparationParts = {
  resolveWeights: (entry: CatalogEntry) => Promise<string>;
  media: InputMedia;
  /** Something stopped being pending. */
  onSettled: () => void;
};

const PENDING = { type: "pending" } as const;

type Fetched = { state: Readiness<Record<string, string>>; token: FileToken; abort: AbortController };

export function createPreparation({ resolveWeights, media, onSettled }: PreparationParts): Preparation {
  const weights = new Map<ModelId, Readiness<string>>();
  const fetched = new Map<JobId, Fetched>();

  return {
    weights(entry) {
      const id = entry.model.id as ModelId; // checked by the catalogue
      const known = weights.get(id);
      if (known) return known;
      weights.set(id, PENDING);
      settle(resolveWeights(entry)).then((state) => {
        weights.set(id, state);
        onSettled();
      });
      return PENDING;
    },
    media(job, { input: schema }) {
      const known = fetched.get(job.id);
      if (known) return known.state;
      if (!media.isNeeded(schema, job.input)) return { type: "ready", value: {} };
      const entry: Fetched = { state: PENDING, token: job.files, abort: new AbortController() };
      fetched.set(job.id, entry);
      const { signal } = entry.abort;
      settle(media.fetch({ schema, input: job.input, token: job.files, key: job.key, signal })).then((state) => {
        entry.state = state;
        if (signal.aborted) media.remove(job.files);
        else onSettled();
      });
      return PENDING;
    },
    forgetWeights: (model) => weights.delete(model),
    forgetMedia(id) {
      const entry = fetched.get(id);
      if (!entry) return;
      fetched.delete(id);
      if (entry.state.type === "pending") entry.abort.abort();
      else media.remove(entry.token);
    },
    jobs: () => fetched.keys(),
  };
}

const settle = <T>(work: Promise<T>): Promise<Readiness<T>> =>
  work.then(
    (value) => ({ type: "ready", value }),
    (error) => ({ type: "failed", failure: toFailure(error) }),
  );
