// The voices of this box's speech models, and these models, as programs that let their users choose ask for them.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import type { Key } from "../../control/keys/key.ts";
import { mayUse } from "../../control/keys/patterns.ts";
import { filesIn } from "../../control/weights/files-in.ts";
import { ForecourtError } from "../../core/errors.ts";
import { voicesIn } from "../../engine/voice/families.ts";
import type { Call } from "../fal/call.ts";
import { FIRST_VOICE } from "./audio-body.ts";
import { chosenModel, noModel, PIPELINES, usableModels } from "./chosen-model.ts";
import type { OpenAiParts } from "./runs.ts";

type Named = { id: string; name: string };

/** Both words are used for the list: `data` by OpenAI, `voices` and `models` by servers of speech that came after it. */
const listed = <Word extends string>(word: Word, all: readonly Named[]) =>
  Response.json({ object: "list", data: all, [word]: all });

export const listSpeechModels = (parts: OpenAiParts, { caller }: Call): Response =>
  listed(
    "models",
    speaking(usableModels(parts.catalog, caller)).map(({ model: { id, title } }) => ({ id, name: title })),
  );

const speaking = (entries: readonly CatalogEntry[]) =>
  entries.filter(({ model }) => (PIPELINES.speech as readonly string[]).includes(model.pipeline));

/** Of the model that the query names, or of all whose weights are here; with the names that the settings give them. */
export async function listVoices(parts: OpenAiParts, { query, caller }: Call): Promise<Response> {
  const wanted = query.get("model");
  const usable = speaking(usableModels(parts.catalog, caller));
  const each =
    wanted === null
      ? await Promise.all(usable.map((entry) => voicesOf(parts, entry).catch(noneOfBroken)))
      : [await voicesOf(parts, usedModel(parts, caller, wanted))];
  const voices = [...new Map(each.flat().map((voice) => [voice.id, voice])).values()];
  const known = new Set(voices.map(({ id }) => id));
  const further = Object.entries(parts.voices).flatMap(([name, voice]) =>
    known.has(voice) && !known.has(name) ? [{ id: name, name: `${name} (${voice})` }] : [],
  );
  return listed("voices", [...voices, ...further]);
}

function usedModel(parts: OpenAiParts, caller: Key, name: string): CatalogEntry {
  const { entry } = chosenModel(parts, name, "speech");
  if (!mayUse(caller, entry.model)) throw noModel(name);
  return entry;
}

/** Weights that cannot be read are told to who asks for them; they hide no others. */
function noneOfBroken(error: unknown): [] {
  if (error instanceof ForecourtError && (error.code === "weights_missing" || error.code === "misconfigured"))
    return [];
  throw error;
}

async function voicesOf({ supply }: OpenAiParts, { model }: CatalogEntry): Promise<(Named & { model: string })[]> {
  const { state, folder } = await supply.presenceOf(model);
  if (state !== "complete" || folder === undefined) return [];
  const names = await voicesIn(filesIn(folder));
  if (!names) return [];
  const of = { model: model.id };
  return [...new Set([FIRST_VOICE, ...names])].map((name) => ({ id: name, name, ...of }));
}
