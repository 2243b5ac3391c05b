// The document of the whole box: what @elysiajs/swagger cannot see because one wildcard route serves every model.
import type { Catalog, CatalogEntry } from "../../control/catalog/catalog.ts";
import { isFetched, repoPartsOf } from "../../engine/sources.ts";
import { platformPaths, platformSchemas } from "../platform/documents.ts";
import { modelOperations } from "./model-operations.ts";
import { openAiPaths, openAiSchemas } from "./openai-operations.ts";
import { OTHER_TAGS, otherPaths } from "./other-operations.ts";
import { pascalIds } from "./schema-names.ts";
import { securitySchemes, sharedSchemas } from "./shared-schemas.ts";
import { workflowPaths, workflowSchemas } from "./workflow-operations.ts";

const ABOUT = `Every model of this box, callable at once (\`/run/...\`) or through the queue (\`/queue/...\`).

Press **Authorize** and paste a key (\`forecourt keys create --name NAME\` makes one), then **Try it out**.`;

type Parts = { catalog: Catalog; version: string };

/** Follows the catalogue: what is made of it is made once for each state of it. */
export function liveDocument(parts: Parts) {
  let of = parts.catalog.list();
  let made = boxDocument(parts);
  const now = () => {
    const models = parts.catalog.list();
    if (models !== of) made = boxDocument(parts);
    of = models;
    return made;
  };
  const { info, servers, security } = made;
  return {
    ...{ info, servers, security },
    get tags() {
      return now().tags;
    },
    get paths() {
      return now().paths;
    },
    get components() {
      return now().components;
    },
  };
}

export function boxDocument({ catalog, version }: Parts) {
  const entries = catalog.list();
  const endpoints = [...entries.map((entry) => ({ endpoint: entry.model.id, entry })), ...catalog.worded()];
  const names = pascalIds(endpoints.map(({ endpoint }) => endpoint));
  const described = endpoints.map((each) => modelOperations(each, names.get(each.endpoint) ?? each.endpoint));
  return {
    info: { title: "Forecourt", version, description: ABOUT },
    servers: [{ url: "/", description: "This box" }],
    security: [{ apiKeyAuth: [] }],
    tags: tagsOf(entries),
    paths: Object.assign(
      {},
      ...described.map(({ paths }) => paths),
      platformPaths(),
      workflowPaths(),
      openAiPaths(),
      otherPaths(),
    ),
    components: {
      securitySchemes,
      schemas: Object.assign(
        {},
        sharedSchemas,
        platformSchemas,
        workflowSchemas,
        openAiSchemas,
        ...described.map(({ schemas }) => schemas),
      ),
    },
  };
}

/** In the order of the page: the models that answer at once, the faces, and the models whose weights may have to be fetched. */
function tagsOf(entries: readonly CatalogEntry[]) {
  const fetched = ({ model }: CatalogEntry) => isFetched(model);
  const ready = entries.filter((entry) => !fetched(entry));
  return [...ready.map(tagOf), ...FACES, ...entries.filter(fetched).map(tagOf)];
}

const FACES = [
  { name: "OpenAI", description: "OpenAI's API at /v1" },
  { name: "Workflows", description: "Several models in one request" },
  { name: "Platform", description: "fal's platform API: models, prices, usage, requests, keys" },
  ...OTHER_TAGS,
  { name: "Administration", description: "Of this box, with a key of the scope admin" },
  { name: "Operations", description: "Health and metrics" },
  { name: "Models", description: "All models of this box" },
];

const tagOf = ({ model }: CatalogEntry) => ({ name: model.id, description: `${model.title}${weightsOf(model)}` });

function weightsOf(model: CatalogEntry["model"]): string {
  const repos = repoPartsOf(model).map(({ source }) => source.repo);
  return repos.length > 0 ? ` (weights: ${repos.join(", ")})` : "";
}
