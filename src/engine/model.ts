// The shape of a file of models/: one schema gives its validation, static type and config/model.schema.json.
import { HIGHEST_PRICE } from "../core/money.ts";
import { choice, type Static, Type } from "../core/schema.ts";
import { moderationDeclaration } from "./classification/moderation.ts";
import { embedDeclaration } from "./embedding/declaration.ts";
import { similarityDeclaration } from "./embedding/similarity.ts";
import { endpointDeclaration } from "./endpoints/declaration.ts";
import { executionSchema } from "./execution.ts";
import { onnxDeclaration } from "./onnx/declaration.ts";
import { type PipelineName, pipelineNames } from "./pipelines/registry.ts";
import { besideDeclaration, licenceDeclaration, sourceDeclaration } from "./source-declaration.ts";
import { devicesDeclaration, dtypeDeclaration, graphsDeclaration, variantsDeclaration } from "./variant-declaration.ts";

const priceAmount = (options: object = {}) => Type.Number({ minimum: 0, maximum: HIGHEST_PRICE, ...options });

const priceUnit = Type.String({
  pattern: "^[a-z][a-z_]*$",
  expected: "a unit in the singular and in small letters, such as image, second, token, request or gpu_second",
  description:
    "One of what its pipeline counts, in the singular: image, megapixel, step, second (of output), token, input_token, output_token, character, request, gpu_second",
});

export const modelSchema = Type.Object(
  {
    id: Type.String({
      pattern: "^[a-z0-9][\\w.-]*(/[\\w.-]+){1,3}$",
      expected: "an id such as owner/name or owner/name/variant, beginning with a small letter or a digit",
      description: "owner/name[/variant]",
    }),
    aliases: Type.Array(Type.String({ pattern: "^[\\w.-]+(/[\\w.-]+){1,6}$", expected: "an id such as owner/name" }), {
      default: [],
      description:
        "Other endpoint ids that mean this model, e.g. fal's: those known here take and give what they do at fal",
    }),
    endpoints: Type.Record(Type.String(), endpointDeclaration, {
      default: {},
      description: "Further endpoint ids that mean this model, each with inputs and outputs of its own",
    }),
    title: Type.String(),
    description: Type.String(),
    category: Type.String({ description: "fal's category, e.g. text-to-image" }),
    licence: licenceDeclaration,
    pipeline: choice(pipelineNames, { description: "Which code runs it" }),
    source: sourceDeclaration,
    beside: besideDeclaration,
    graphs: graphsDeclaration,
    dtype: Type.Optional(dtypeDeclaration),
    variants: variantsDeclaration,
    devices: Type.Optional(devicesDeclaration),
    onnx: Type.Optional(onnxDeclaration),
    embed: Type.Optional(embedDeclaration),
    similarity: Type.Optional(similarityDeclaration),
    moderation: Type.Optional(moderationDeclaration),
    defaults: Type.Record(Type.String(), Type.Unknown(), {
      default: {},
      description: "Other defaults for inputs of the pipeline",
    }),
    realtime: Type.Object(
      {
        defaults: Type.Record(Type.String(), Type.Unknown(), {
          default: {},
          description: "Other defaults again for messages of a realtime connection, e.g. fewer steps",
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    bounds: Type.Record(
      Type.String(),
      Type.Object(
        { minimum: Type.Optional(Type.Number()), maximum: Type.Optional(Type.Number()) },
        { additionalProperties: false },
      ),
      { default: {}, description: "Tighter ranges for inputs of the pipeline" },
    ),
    memory: Type.Object(
      {
        weights: Type.Integer({ minimum: 0, description: "Bytes held while loaded" }),
        working: Type.Integer({ minimum: 0, description: "Further bytes while one input runs" }),
        perBatchItem: Type.Integer({
          minimum: 0,
          default: 0,
          description: "Further bytes for each further input of a batch",
        }),
      },
      { additionalProperties: false },
    ),
    price: Type.Object(
      {
        unit: priceUnit,
        amount: priceAmount({ description: "Of the currency, for one unit" }),
        currency: Type.String({ pattern: "^[A-Z]{3}$", expected: "three capital letters such as USD" }),
        also: Type.Array(Type.Object({ unit: priceUnit, amount: priceAmount() }, { additionalProperties: false }), {
          default: [],
          description: "Further units that cost too, e.g. output_token beside input_token",
        }),
      },
      { additionalProperties: false },
    ),
    execution: executionSchema,
    limits: Type.Object(
      {
        timeoutSeconds: Type.Number({ exclusiveMinimum: 0, default: 600, description: "Longest run of one job" }),
        loadSeconds: Type.Number({ exclusiveMinimum: 0, default: 900, description: "Longest time to load it" }),
        maxBatch: Type.Integer({ minimum: 1, default: 1 }),
        maxQueue: Type.Integer({
          minimum: 1,
          default: 10_000,
          description: "Waiting jobs beyond which submits are refused",
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    residency: choice(["auto", "pinned"], {
      default: "auto",
      description: "pinned: loaded at the start and never unloaded to make room for others",
    }),
    warm: Type.Boolean({ default: false, description: "Loaded at the start when there is room" }),
    warmup: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
      default: [],
      description:
        "Inputs that are run once whenever it is loaded, before its first request: one for each shape that requests will have",
    }),
    tags: Type.Array(Type.String(), { default: [] }),
    examples: Type.Array(Type.Record(Type.String(), Type.Unknown()), { default: [] }),
  },
  { additionalProperties: false },
);

/** A validated file of models/. */
export type Model = Static<typeof modelSchema> & { pipeline: PipelineName };
