// fal's endpoints for all language models, where the body names the model: openrouter/router and its forerunner any-llm.
import type { Appliance } from "../../control/appliance.ts";
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { type Names, namedModels, refusedName } from "../../control/catalog/names.ts";
import { mayUse } from "../../control/keys/patterns.ts";
import { parse, Type } from "../../core/schema.ts";
import type { Bytes } from "../../core/units.ts";
import { wrongField } from "../../core/wrong-field.ts";
import type { PipelineName } from "../../engine/pipelines/registry.ts";
import { requireScope } from "../authenticate.ts";
import { readJson } from "../read-json.ts";
import { requireMethod } from "../require-method.ts";
import type { Call, Face } from "./call.ts";

type Parts = Pick<Appliance, "catalog" | "supply"> & { names: Names; bodyLimit: Bytes };

/** A model file whose alias is one of them goes before this. */
const ROUTER = /^(openrouter\/router|fal-ai\/any-llm)(?:\/(?:vision|enterprise))?(|\/stream)$/;

/** A request to a router goes on as one to the model that it names; all others pass. */
export const withLanguageRouters =
  ({ catalog, supply, names, bodyLimit }: Parts, face: Face): Face =>
  async (call) => {
    const [, , rest] = ROUTER.exec(call.path) ?? [];
    if (rest === undefined || catalog.match(call.path)) return await face(call);
    requireMethod(call.request, ["POST"], "Send the model's name and input as JSON with POST.");
    requireScope(call.caller, "api", "admin");
    const { model, ...input } = readRouted(await readJson(call.request, bodyLimit));
    const endpoint =
      model === undefined ? await onlyModel({ catalog, supply }, call) : languageModel({ catalog, names }, model);
    return await face({ ...call, path: `${endpoint}${rest}`, input: withPictures(input) });
  };

const routed = Type.Object({
  model: Type.Optional(Type.String({ minLength: 1 })),
  prompt: Type.Optional(Type.String()),
  image_url: Type.Optional(Type.String({ minLength: 1 })),
  image_urls: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
});

/** What is the model's own stays unchecked: its schema judges it. */
function readRouted(body: unknown): Record<string, unknown> & { model?: string } {
  const checked = parse(routed, body);
  const others = Object.entries(Object(body)).filter(([name]) => !(name in routed.properties));
  return { ...Object.fromEntries(others), ...checked };
}

/** fal's pictures beside the prompt are parts of a message here. */
function withPictures({ image_url, image_urls, ...input }: Record<string, unknown>): Record<string, unknown> {
  const urls = [image_url, image_urls].flat().filter((url) => typeof url === "string");
  if (urls.length === 0) return input;
  const { prompt, ...others } = input;
  const pictures = urls.map((url) => ({ type: "image_url", image_url: { url } }));
  return { ...others, messages: [{ role: "user", content: [{ type: "text", text: prompt ?? "" }, ...pictures] }] };
}

const LANGUAGE: readonly PipelineName[] = ["chat"];
const isLanguage = ({ model }: CatalogEntry) => LANGUAGE.includes(model.pipeline);

/** By id, alias or a name of the setting openai.models. */
function languageModel(named: Pick<Parts, "catalog" | "names">, name: string): string {
  const found = namedModels(named, name);
  const language = found.find(({ entry }) => isLanguage(entry));
  if (language) return language.endpoint;
  const refusal = refusedName(named, name);
  if (found.length === 0) throw refusal ?? wrongField("model", `There is no model "${name.slice(0, 200)}" on this box`);
  throw wrongField("model", `The model "${name}" is none that answers in text: call it at /run/${found[0]?.endpoint}`);
}

/** Of those whose weights are here; a demo counts only where there is nothing else. */
async function onlyModel({ catalog, supply }: Pick<Parts, "catalog" | "supply">, { caller }: Call): Promise<string> {
  const usable = catalog.list().filter((entry) => isLanguage(entry) && mayUse(caller, entry.model));
  const present = await Promise.all(usable.map((entry) => isHere(entry, supply)));
  const here = usable.filter((_, at) => present[at]);
  const own = here.filter(({ model }) => !model.tags.includes("demo"));
  const real = own.length > 0 ? own : here;
  const [first, ...others] = real;
  if (first && others.length === 0) return first.model.id;
  const names = usable.map(({ model }) => model.id).slice(0, 20);
  throw wrongField(
    "model",
    names.length === 0 ? "This box has no language model" : `Field required: one of ${names.join(", ")}`,
  );
}

async function isHere({ model }: CatalogEntry, supply: Parts["supply"]): Promise<boolean> {
  const { state } = await supply.presenceOf(model);
  return state === "complete" || state === "built-in";
}
