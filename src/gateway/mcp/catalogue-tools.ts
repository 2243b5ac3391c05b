// Tools that tell which models there are, what each takes and gives, and what it costs.
import { Type } from "../../core/schema.ts";
import { llmsText } from "../docs/llms-text.ts";
import { endpointOf } from "../fal/call.ts";
import { listModels } from "../platform/models.ts";
import type { Operation } from "../platform/operation.ts";
import { pricing } from "../platform/pricing.ts";
import { jsonSchema } from "./json-schema.ts";
import { rank, wordsOf } from "./model-search.ts";
import { type Answer, type Asked, type ToolParts, tool } from "./tool.ts";

export const searchModels = tool({
  name: "search_models",
  title: "Search the models",
  description: "The models of this box; each word of the query has to be in a model's id, title, description or tags",
  isReading: true,
  input: Type.Object({
    query: Type.String({ maxLength: 500, default: "" }),
    category: Type.Optional(Type.String({ maxLength: 100, description: "Such as text-to-image" })),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    cursor: Type.Optional(Type.String({ maxLength: 500, description: "next_cursor of the page before" })),
  }),
  answer: async (parts, asked, { query, category, limit, cursor }) =>
    await ask(listModels, parts, asked, {
      q: query,
      limit: String(limit),
      ...(category !== undefined && { category }),
      ...(cursor !== undefined && { cursor }),
    }),
});

export const getPricing = tool({
  name: "get_pricing",
  title: "Prices of models",
  description: "What models cost for the caller's key, each by its unit",
  isReading: true,
  input: Type.Object({ endpoint_id: Type.String({ minLength: 1, maxLength: 10_000, description: "Ids, by commas" }) }),
  answer: async (parts, asked, { endpoint_id }) => await ask(pricing, parts, asked, { endpoint_id }),
});

/** The platform API has these answers already. */
async function ask(
  operation: Operation,
  parts: ToolParts,
  { call: { roots, caller } }: Asked,
  query: Record<string, string>,
): Promise<Answer> {
  const asked = { names: {}, roots, caller, query: new URLSearchParams(query), body: {} };
  return { value: (await operation.answer(parts, asked)) as Record<string, unknown> }; // of both the result is an object
}

export const getModelSchema = tool({
  name: "get_model_schema",
  title: "What a model takes and gives",
  description: "JSON Schema of a model's input and output, with examples",
  isReading: true,
  input: Type.Object({ endpoint_id: Type.String({ minLength: 1, maxLength: 500 }) }),
  answer({ catalog }, { call: { roots } }, { endpoint_id }) {
    const { entry, endpoint } = endpointOf(catalog, endpoint_id);
    const { model, input, output } = entry;
    return {
      value: {
        endpoint_id: endpoint,
        title: model.title,
        description: model.description,
        category: model.category,
        input_schema: jsonSchema(input),
        output_schema: jsonSchema(output),
        examples: model.examples,
        documentation_url: `${roots.origin}/models/${endpoint}/llms.txt`,
        openapi_url: `${roots.origin}/models/${endpoint}/openapi.json`,
      },
    };
  },
});

const BEST = 5;

export const recommendModel = tool({
  name: "recommend_model",
  title: "Models for a task",
  description: "The models of this box that fit a task best, by the words of its description",
  isReading: true,
  input: Type.Object({ task: Type.String({ minLength: 1, maxLength: 2000 }) }),
  answer: ({ catalog }, _, { task }) => ({
    value: {
      recommendations: rank(catalog.list(), task)
        .slice(0, BEST)
        .map(({ entry: { model }, score }) => ({
          endpoint_id: model.id,
          title: model.title,
          category: model.category,
          description: model.description,
          score,
        })),
    },
  }),
});

export const searchDocs = tool({
  name: "search_docs",
  title: "Search the models' pages",
  description: "Lines about the query on the pages of the models that fit it best",
  isReading: true,
  input: Type.Object({ query: Type.String({ minLength: 1, maxLength: 500 }) }),
  answer({ catalog }, { call: { roots } }, { query }) {
    const words = wordsOf(query);
    const pages = rank(catalog.list(), query).slice(0, BEST);
    const results = pages.map(({ entry }) => ({
      title: entry.model.title,
      url: `${roots.origin}/models/${entry.model.id}/llms.txt`,
      excerpt: linesWith(words, llmsText(entry, entry.model.id, roots)),
    }));
    return { value: { results } };
  },
});

const MOST_LINES = 10;

function linesWith(words: string[], page: string): string {
  const lines = page.split("\n").filter((line) => words.some((word) => line.toLowerCase().includes(word)));
  return lines.slice(0, MOST_LINES).join("\n");
}
