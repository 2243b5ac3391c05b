// The model that a request names: by id, alias or its name for OpenAI's clients, and of the right kind.
import type { Catalog, CatalogEntry } from "../../control/catalog/catalog.ts";
import type { Key } from "../../control/keys/keys.ts";
import { mayUse } from "../../control/keys/patterns.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { PipelineName } from "../../engine/pipelines/registry.ts";

type Chosen = { entry: CatalogEntry; endpoint: string };

/** What each kind of request is served by, and where others of its models go. */
export const PIPELINES = {
  chat: ["chat"],
  images: ["text-to-image"],
  edits: ["image-to-image"],
  maskedEdits: ["inpaint"],
  embeddings: ["embed"],
  rerank: ["rerank"],
  speech: ["speak"],
  hearing: ["transcribe"],
} as const satisfies Record<string, readonly PipelineName[]>;
export type Use = keyof typeof PIPELINES;

const PATHS: Record<Use, string> = {
  chat: "/v1/chat/completions",
  images: "/v1/images/generations",
  edits: "/v1/images/edits without a mask",
  maskedEdits: "/v1/images/edits with a mask",
  embeddings: "/v1/embeddings",
  rerank: "/v1/rerank",
  speech: "/v1/audio/speech",
  hearing: "/v1/audio/transcriptions",
};

/** Throws `not_found` and `invalid_input` in the words that OpenAI's users know. */
export function chosenModel(catalog: Catalog, name: string, use: Use): Chosen {
  const named = catalog.find(name);
  // OpenAI's fields are translated to the pipeline's own.
  const endpoint = named?.words ? named.model.id : name;
  const entry = catalog.find(endpoint);
  if (!entry) throw noModel(name);
  const pipelines: readonly PipelineName[] = PIPELINES[use];
  if (pipelines.includes(entry.model.pipeline)) return { entry, endpoint };
  const right = (Object.keys(PIPELINES) as Use[]).find((other) =>
    (PIPELINES[other] as readonly PipelineName[]).includes(entry.model.pipeline),
  );
  const advice = right ? `Use ${PATHS[right]}.` : `Use /run/${entry.model.id}.`;
  const msg = `The model ${name} is not for this: it is of the kind ${entry.model.category}. ${advice}`;
  throw new ForecourtError("invalid_input", msg, { problems: [{ loc: ["body", "model"], msg, type: "value_error" }] });
}

export function noModel(name: string): ForecourtError {
  const message = `The model '${name.slice(0, 200)}' does not exist on this box. GET /v1/models lists those that do.`;
  return new ForecourtError("not_found", message, {
    problems: [{ loc: ["body", "model"], msg: message, type: "value_error" }],
    details: { code: "model_not_found" },
  });
}

export const usableModels = (catalog: Catalog, caller: Key): CatalogEntry[] =>
  catalog.list().filter(({ model }) => mayUse(caller, model));
