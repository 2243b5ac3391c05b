// What a job needs before it can be placed: its model's weights on disk and its input's media fetched.
import type { DeviceKind } from "../../core/device.ts";
import { type Failure, toFailure } from "../../core/errors.ts";
import type { FileToken, JobId, ModelId } from "../../core/ids.ts";
import type { Job } from "../../core/job.ts";
import type { Model } from "../../engine/model.ts";
import { variantsOn } from "../../engine/variants.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import type { InputMedia } from "../storage/input-media.ts";

/** Something that takes a while and is asked for again when it is done. */
export type Readiness<T> = { type: "pending" } | { type: "ready"; value: T } | { type: "failed"; failure: Failure };

export type Preparation = {
  /** The folder of the model's weights, once all are there that these kinds of device take. */
  weights(entry: CatalogEntry, kinds: readonly DeviceKind[]): Readiness<string>;
  /** The same as far as it was asked for; nothing is begun. */
  folder(model: ModelId): string | undefined;
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
  /** Of a model as it runs on one kind of device. */
  resolveWeights: (variant: Model) => Promise<string>;
  media: InputMedia;
  /** Something stopped being pending. */
  onSettled: () => void;
};

const PENDING = { type: "pending" } as const;

type Fetched = { state: Readiness<Record<string, string>>; token: FileToken; abort: AbortController };

export function createPreparation({ resolveWeights, media, onSettled }: PreparationParts): Preparation {
  const weights = new Map<ModelId, Map<string, Readiness<string>>>();
  const fetched = new Map<JobId, Fetched>();

  function weightsOf(variant: Model): Readiness<string> {
    const id = variant.id as ModelId; // checked by the catalogue
    const { dtype = "" } = variant;
    const states = weights.get(id) ?? new Map<string, Readiness<string>>();
    weights.set(id, states);
    const known = states.get(dtype);
    if (known) return known;
    states.set(dtype, PENDING);
    settle(resolveWeights(variant)).then((state) => {
      // Where they were forgotten meanwhile, nobody looks into these any more.
      states.set(dtype, state);
      onSettled();
    });
    return PENDING;
  }

  return {
    weights(entry, kinds) {
      const states = variantsOn(entry.model, kinds).map(weightsOf);
      const open = states.find(({ type }) => type === "failed") ?? states.find(({ type }) => type === "pending");
      return open ?? states[0] ?? PENDING;
    },
    folder(model) {
      const ready = [...(weights.get(model)?.values() ?? [])].find((state) => state.type === "ready");
      return ready?.type === "ready" ? ready.value : undefined;
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
