// The bodies of requests for embeddings and rankings, translated to their models' inputs.
import { choice, parse, type Static, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { embedInput, longText } from "../../engine/embedding/embed-fields.ts";
import { rerankInput } from "../../engine/embedding/rerank-fields.ts";

const MOST = 2048;
const tokens = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 });
const picture = Type.Object({ image_url: Type.String({ minLength: 1 }) });
const sound = Type.Object({ audio_url: Type.String({ minLength: 1 }) });
const { dimensions, prompt_name, truncate } = embedInput.properties;

export const embeddingBody = Type.Object({
  model: Type.String({ minLength: 1, description: "Id or alias of an embedding model; GET /v1/models lists them" }),
  input: Type.Union(
    [
      longText(),
      Type.Array(Type.Union([longText(), picture, sound]), { minItems: 1, maxItems: MOST }),
      tokens,
      Type.Array(tokens, { minItems: 1, maxItems: MOST }),
    ],
    {
      description:
        "A text, or a list of texts (or pictures, `{image_url}`, and sounds, `{audio_url}`, where the model reads them)",
    },
  ),
  encoding_format: choice(["float", "base64"], { default: "float" }),
  dimensions,
  prompt_name,
  truncate,
});

export const rerankBody = Type.Object({
  model: Type.String({ minLength: 1, description: "Id or alias of a reranker; GET /v1/models lists them" }),
  query: rerankInput.properties.query,
  documents: Type.Array(Type.Union([longText(), Type.Object({ text: longText() })]), {
    minItems: 1,
    maxItems: 1024,
    description: "Texts that may hold it",
  }),
  top_n: rerankInput.properties.top_n,
  return_documents: rerankInput.properties.return_documents,
});

export type EmbeddingBody = Static<typeof embeddingBody>;
export type RerankBody = Static<typeof rerankBody>;

export const readEmbeddingBody = (body: unknown): EmbeddingBody => parse(embeddingBody, body);
export const readRerankBody = (body: unknown): RerankBody => parse(rerankBody, body);

/** Throws `invalid_input` for tokens: every model has a vocabulary of its own, and a client cannot know this box's. */
export function embeddingInput({
  input,
  dimensions: width,
  prompt_name: name,
  truncate: cuts,
}: EmbeddingBody): Record<string, unknown> {
  if ([input].flat(2).some((each) => typeof each === "number")) throw wrongField("input", NO_TOKENS, "string_type");
  return {
    input,
    truncate: cuts,
    ...(width !== undefined && { dimensions: width }),
    ...(name !== undefined && { prompt_name: name }),
  };
}

export const rankingInput = ({ query, documents, top_n, return_documents }: RerankBody): Record<string, unknown> => ({
  ...{ query, return_documents, ...(top_n !== undefined && { top_n }) },
  documents: documents.map((document) => (typeof document === "string" ? document : document.text)),
});

const NO_TOKENS =
  "Input should be texts: token ids mean nothing to a model with another vocabulary. LangChain for Python sends texts with check_embedding_ctx_length=False";
