// The part of a model file that says which of its files are used on which devices.
import { type Static, Type } from "../core/schema.ts";

export const sha256 = Type.String({
  pattern: "^[0-9a-f]{64}$",
  expected: "a file's SHA-256 in 64 hexadecimal digits, in small letters, as `sha256sum` prints it",
});

/** Of a file among the weights; nothing leads out of them. */
export const pathWithin = (description?: string) =>
  Type.String({
    pattern: "^(?!/)(?!(?:.*/)?\\.\\.(?:/|$)).",
    expected: "a path within the weights, such as onnx/model.onnx, without ..",
    ...(description !== undefined && { description }),
  });

export const pinnedFile = Type.Object(
  { path: pathWithin(), bytes: Type.Integer({ minimum: 0 }), sha256 },
  { additionalProperties: false },
);

const graphs = {
  description: "Other files for graphs that the pipeline asks for, e.g. onnx/model.onnx: onnx/model_fp16.onnx",
};

export const graphsDeclaration = Type.Record(Type.String(), pathWithin(), { ...graphs, default: {} });

const NAME = "^[a-z0-9]+([+_-][a-z0-9]+)*$";

export const dtypeDeclaration = Type.String({
  pattern: NAME,
  expected: "small letters and digits, such as fp16 or q4f16; several joined by +",
  description: "What its numbers are, as transformers.js calls it: fp32, fp16, q8, q4, q4f16...; several joined by +",
});

const further = {
  files: Type.Optional(Type.Array(pinnedFile, { minItems: 1, description: "Beside the files of a pinned source" })),
  include: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description: "Beside the patterns of the source" }),
  ),
  bytes: Type.Optional(Type.Integer({ minimum: 1, description: "About how much these patterns bring" })),
};
const furtherFiles = Type.Object(further, { additionalProperties: false });

const variant = Type.Object(
  {
    ...further,
    beside: Type.Optional(
      Type.Record(Type.String(), furtherFiles, {
        description: "The same for sources of the model's `beside`, by folder",
      }),
    ),
    graphs: Type.Optional(Type.Record(Type.String(), pathWithin(), graphs)),
    memory: Type.Optional(
      Type.Object(
        { weights: Type.Integer({ minimum: 0 }), working: Type.Optional(Type.Integer({ minimum: 0 })) },
        { additionalProperties: false, description: "Instead of the model's" },
      ),
    ),
  },
  { additionalProperties: false },
);

/** What a variant has beside one source's own files. */
export type FurtherFiles = Static<typeof furtherFiles>;
export type VariantDeclaration = Static<typeof variant>;

export const variantsDeclaration = Type.Record(Type.String({ pattern: NAME }), variant, {
  default: {},
  description: "Choices of its files by dtype, of which each device takes one: what they have beside the source's own",
});

const choice = Type.String({ description: "One of variants" });
export const devicesDeclaration = Type.Object(
  { cpu: choice, webgpu: choice, cuda: choice },
  { additionalProperties: false, description: "Which of its variants runs on which kind of device" },
);
