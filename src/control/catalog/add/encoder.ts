// Models that embed texts, rerank them or sort them into classes, in transformers.js' layout. models.md 3.4.
import { knownModeration } from "../../../engine/classification/moderation.ts";
import type { EmbedDeclaration, Pooling } from "../../../engine/embedding/declaration.ts";
import { configOf, type Family, type Finding, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

const GRAPH = "onnx/model.onnx";

/** Of `config.json`: models of one kind of attention, with a vector for each token. */
export const ENCODERS = [
  ...["bert", "roberta", "xlm-roberta", "camembert", "distilbert", "mpnet", "albert", "electra", "deberta-v2"],
  ...["nomic_bert", "modernbert", "new", "eurobert", "xmod", "convbert", "roformer"],
] as const;

/** By these sentence-transformers knows its models: pooling, length and prompts. */
const SENTENCE_FILES = [
  ...["modules.json", "1_Pooling/config.json", "sentence_bert_config.json", "config_sentence_transformers.json"],
];
const POOLING_FILE = "1_Pooling/config.json";

/** A language model's architecture that gives meanings, not words. */
export function isEmbedding(repository: Repository): boolean {
  const architectures = configOf(repository, "config.json").architectures;
  const answers = Array.isArray(architectures) && architectures.some((each) => /ForCausalLM$/.test(String(each)));
  const says = Array.isArray(architectures) && architectures.length > 0 && !answers;
  return says || present(repository, [POOLING_FILE]).length > 0 || /embed/i.test(repository.repo);
}

/** Attention and activations of one pass (engine/embedding/together.ts), rounded up. */
const WORKING_BYTES = 400e6;
/** Requests that share passes. */
const PLACES = 16;

export const encoder: Family = (repository, wishes) => {
  const config = configOf(repository, "config.json");
  const { architectures, hidden_size: width } = config;
  const isClassifier =
    Array.isArray(architectures) && architectures.some((each) => /Classification$/.test(String(each)));
  const graph = pickGraph(repository, { graph: GRAPH, ...wishes });
  const shared = {
    graphs: { [GRAPH]: graph },
    files: [
      ...requireFiles(repository, ["config.json"]),
      ...tokenizerFiles(repository, ""),
      ...present(repository, SENTENCE_FILES),
      ...graph.files,
    ],
    defaults: {},
    working: WORKING_BYTES,
    limits: { maxBatch: PLACES },
    unit: "token",
  };
  const labels = isClassifier ? labelsOf(config) : [];
  if (labels.length > 1) return { ...shared, ...sorting(labels) };
  if (isClassifier)
    return {
      ...shared,
      pipeline: "rerank",
      category: "rerank",
      description: "Orders documents by how well they answer a query",
      unsure: [],
    };
  return {
    ...shared,
    ...embeddingOf(repository),
    pipeline: "embed",
    category: "embedding",
    description: `Turns texts into embeddings${typeof width === "number" ? ` of ${width} numbers` : ""}`,
  };
};

/** transformers' default is two. */
const labelsOf = ({ id2label }: Record<string, unknown>): string[] =>
  typeof id2label === "object" && id2label !== null ? Object.values(id2label).map(String) : ["LABEL_0", "LABEL_1"];

/** Whether what it sorts by is harm shows in its labels. */
function sorting(
  labels: readonly string[],
): Pick<Finding, "pipeline" | "category" | "description" | "moderation" | "unsure"> {
  const moderation = knownModeration(labels);
  const some = labels.slice(0, 8).join(", ");
  return {
    pipeline: "classify-text",
    category: "text-classification",
    description: `Sorts texts into ${labels.length} classes (${some}${labels.length > 8 ? ", ..." : ""})`,
    ...(moderation && { moderation }),
    unsure: moderation
      ? [
          "It serves /v1/moderations: see whether moderation.categories in its file are what you want, and the thresholds.",
        ]
      : [],
  };
}

/** What their cards say, by what is in their names; the first that fits. */
const KNOWN: { name: RegExp; declared: EmbedDeclaration }[] = [
  {
    name: /qwen3-embedding/i,
    declared: {
      pooling: "last",
      prompts: {
        query: "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
        document: "",
      },
    },
  },
  { name: /(^|[-/])e5-/i, declared: { pooling: "mean", prompts: { query: "query: ", document: "passage: " } } },
  {
    name: /bge-(small|base|large)-en|mxbai-embed|arctic-embed/i,
    declared: {
      pooling: "cls",
      prompts: { query: "Represent this sentence for searching relevant passages: ", document: "" },
    },
  },
  { name: /bge-|gte-.*(v1\.5|modernbert)/i, declared: { pooling: "cls" } },
  {
    name: /nomic-embed/i,
    declared: { pooling: "mean", prompts: { query: "search_query: ", document: "search_document: " } },
  },
  { name: /minilm|gte-|jina-embeddings|paraphrase|multi-qa|mpnet/i, declared: { pooling: "mean" } },
];

function embeddingOf(repository: Repository): Pick<Finding, "embed" | "unsure"> {
  if (present(repository, [POOLING_FILE]).length > 0) return { unsure: [] };
  const known = KNOWN.find(({ name }) => name.test(repository.repo))?.declared;
  const type = String(configOf(repository, "config.json").model_type);
  const isDecoder = !ENCODERS.some((each) => each === type);
  const usual: Pooling = isDecoder ? "last" : "mean";
  const embed = known ?? { pooling: usual };
  const from = known ? "known by its name" : "the usual one of its kind";
  return {
    embed,
    unsure: [`Its pooling, ${embed.pooling}, is ${from}: compare it with its card (embed in the file).`],
  };
}
