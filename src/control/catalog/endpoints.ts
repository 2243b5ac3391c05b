// Which of a model's endpoints have words of their own, and how a job's input becomes its pipeline's.
import { fieldProblems } from "../../core/field-problems.ts";
import type { EndpointDeclaration, EndpointInput } from "../../engine/endpoints/declaration.ts";
import { falEndpoints } from "../../engine/endpoints/fal.ts";
import type { FalEndpoint } from "../../engine/endpoints/fal-endpoint.ts";
import type { Model } from "../../engine/model.ts";
import type { CatalogEntry, Endpoint } from "./catalog-entry.ts";
import { wordsOf } from "./endpoint-words.ts";
import { wrong } from "./input-schema.ts";
import { hasMedia } from "./media-fields.ts";
import { within } from "./read-model.ts";

const ENDPOINT = /^[\w.-]+(\/[\w.-]+){1,6}$/;

/** Of a model's aliases: those that fal's endpoints are known by, and those that its file declares. Throws `misconfigured`. */
export function wordedEndpoints(entry: CatalogEntry): Endpoint[] {
  const { model } = entry;
  return model.aliases.flatMap((endpoint) => {
    const declaration = within(`endpoints.${endpoint}`, () => declarationOf(endpoint, model));
    if (!declaration) return [];
    const worded = within(`endpoints.${endpoint}`, () => wordsOf(declaration, entry, namesOf(model)));
    const examples = model.examples
      .map(worded.words.fromPipeline)
      .filter((example) => fieldProblems(worded.input, example, []).every(({ type }) => type === "missing"));
    return [
      { endpoint, entry: { ...entry, ...worded, model: { ...model, examples }, takesMedia: hasMedia(worded.input) } },
    ];
  });
}

/** Undefined for an alias that says what the model's own id does. */
function declarationOf(endpoint: string, { id, pipeline, endpoints }: Model): EndpointDeclaration | undefined {
  const own = endpoints[endpoint];
  if (own && (endpoint === id || !ENDPOINT.test(endpoint)))
    throw wrong(`${endpoint} should be an id like owner/name other than the model's own`);
  const base = falEndpoints[own?.like ?? endpoint];
  if (own?.like !== undefined && !base)
    throw wrong(
      `like: ${own.like} is none of the endpoints that are known here (${Object.keys(falEndpoints).join(", ")})`,
    );
  if (!base) return own;
  if (base.pipeline !== pipeline)
    throw wrong(`${own?.like ?? endpoint} is an endpoint of the pipeline ${base.pipeline}, not of ${pipeline}`);
  return merged(base, own);
}

function merged(base: FalEndpoint, own: EndpointDeclaration | undefined): EndpointDeclaration {
  const inputs = Object.entries(own?.inputs ?? {}).map(([name, input]) => [
    name,
    mergedInput(base.inputs?.[name], input),
  ]);
  const outputs = own?.outputs ?? base.outputs;
  const open = own?.open ?? base.open;
  return {
    inputs: { ...base.inputs, ...Object.fromEntries(inputs) },
    fixed: { ...base.fixed, ...own?.fixed },
    ...(outputs && { outputs }),
    ...(open !== undefined && { open }),
  };
}

/** What is said of a field anew goes on from what was said, unless it is a field of another kind. */
function mergedInput(base: EndpointInput | undefined, own: EndpointInput): EndpointInput {
  const changesKind = "accepted" in own || "names" in own || "input" in own;
  return changesKind ? own : { ...base, ...own };
}

const namesOf = ({ id, source, aliases }: Model): string[] => [
  ...new Set([id, ...("repo" in source ? [source.repo] : []), ...aliases]),
];
