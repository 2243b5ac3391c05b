// What a reranker is asked and what it answers, in the names that rerankers' APIs share (Cohere's, Jina's).
import type { Units } from "../../core/pipeline.ts";
import { type Static, Type } from "../../core/schema.ts";
import { countOf, longText, mostTokensOf, usageField } from "./embed-fields.ts";

export const rerankInput = Type.Object({
  query: longText("What is looked for."),
  documents: Type.Array(longText(), { minItems: 1, maxItems: 1024, description: "Texts that may hold it." }),
  top_n: Type.Optional(Type.Integer({ minimum: 1, description: "How many of the best to answer; absent: all." })),
  return_documents: Type.Boolean({ default: false, description: "Repeat each document's text in the answer." }),
  raw_scores: Type.Boolean({
    default: false,
    description: "The model's own scores (logits), not brought between 0 and 1.",
  }),
  truncate: Type.Boolean({ default: false, description: "Cut what is too long, instead of refusing it." }),
});

const result = Type.Object({
  index: Type.Integer({ description: "Place of the document in the request." }),
  relevance_score: Type.Number(),
  document: Type.Optional(Type.Object({ text: Type.String() })),
});

export const rerankOutput = Type.Object({
  results: Type.Array(result, { description: "The best first." }),
  usage: usageField,
});

export type RerankInput = Static<typeof rerankInput>;
export type RerankOutput = Static<typeof rerankOutput>;

/** The query is read with each document. */
export function mostReranked({ query, documents }: RerankInput): Units {
  return countOf({ tokens: documents.length * mostTokensOf([query]) + mostTokensOf(documents), images: 0 });
}
