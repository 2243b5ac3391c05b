// The model that a request names: by id, alias or its name for OpenAI's clients, and of the right kind.
import type { Catalog, CatalogEntry } from "../../control/catalog/catalog.ts";
import { givenTo, type Named, type Names, namedModels, refusedName } from "../../control/catalog/names.ts";
import type { Key } from "../../control/keys/key.ts";
import { mayUse } from "../../control/keys/patterns.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { PipelineName } from "../../engine/pipelines/registry.ts";

export type NamedCatalog = { catalog: Catalog; names: Names };
type Chosen = { entry: CatalogEntry; endpoint: string };

/** What each kind of request is served by, and where others of its models go. */
export const PIPELINES = {
  chat: ["chat"],
  images: ["text-to-image"],
  edits: ["image-to-image", "edit-image"],
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
export function chosenModel(named: NamedCatalog, name: string, use: Use): Chosen {
  const found = namedModels(named, name);
  const [first] = found;
  if (!first) throw absentModel(named, name);
  const serving = found.find(({ entry }) => isServedBy(use, entry));
  if (serving) return ownWords(named.catalog, serving);
  const right = (Object.keys(PIPELINES) as Use[]).find((other) => isServedBy(other, first.entry));
  const { id, category } = first.entry.model;
  const advice = right ? `Use ${PATHS[right]}.` : `Use /run/${id}.`;
  const msg = `The model ${name} is not for this: it is of the kind ${category}. ${advice}`;
  throw new ForecourtError("invalid_input", msg, { problems: [{ loc: ["body", "model"], msg, type: "value_error" }] });
}

const isServedBy = (use: Use, { model }: CatalogEntry) =>
  (PIPELINES[use] as readonly PipelineName[]).includes(model.pipeline);

/** OpenAI's fields are translated to the pipeline's own. */
function ownWords(catalog: Catalog, { endpoint, entry }: Named): Chosen {
  const { id } = entry.model;
  return entry.words ? { entry: catalog.find(id) ?? entry, endpoint: id } : { entry, endpoint };
}

/** Of a name that leads to no model. */
export const absentModel = (named: NamedCatalog, name: string): ForecourtError =>
  refusedName(named, name) ?? noModel(name, givenTo(named.names, name));

export function noModel(name: string, given: readonly string[] = []): ForecourtError {
  const missing = `The model '${name.slice(0, 200)}' does not exist on this box.`;
  const message =
    given.length > 0
      ? `${missing} The setting openai.models gives this name to ${given.join(", ")}, and there is no such model.`
      : `${missing} GET /v1/models lists those that do; the setting openai.models gives them further names.`;
  return new ForecourtError("not_found", message, {
    problems: [{ loc: ["body", "model"], msg: message, type: "value_error" }],
    details: { code: "model_not_found" },
  });
}

export const usableModels = (catalog: Catalog, caller: Key): CatalogEntry[] =>
  catalog.list().filter(({ model }) => mayUse(caller, model));
