// The section `onnx` of a model file: what a plain graph takes and gives, as data. See models/README.md for examples.
import { type Static, type TSchema, Type } from "../../core/schema.ts";
import { inputDeclaration } from "./inputs.ts";
import { outputDeclaration } from "./outputs.ts";

/** Names of fields of the API. */
const NAME = "^[a-z][a-z0-9_]*$";

/** TypeBox fills in defaults below a record only where its entries have one: any, even undefined. */
const withDefaults = <Schema extends TSchema>(schema: Schema): Schema => ({ ...schema, default: undefined });

const numbers = Type.Union([Type.Number(), Type.Array(Type.Number())]);

export const onnxDeclaration = Type.Object(
  {
    graph: Type.String({ default: "model.onnx", description: "Path in the weights" }),
    inputs: Type.Record(Type.String({ pattern: NAME }), withDefaults(inputDeclaration), {
      description: "Fields of the request, and how each is fed to the graph",
    }),
    outputs: Type.Record(Type.String({ pattern: NAME }), withDefaults(outputDeclaration), {
      description: "Fields of the answer, and how each is read from the graph",
    }),
    constants: Type.Record(Type.String(), numbers, {
      default: {},
      description: "Further tensors of the graph that are always the same: a number, or a list of one dimension",
    }),
    states: Type.Record(
      Type.String(),
      Type.Object(
        {
          from: Type.String({ description: "The graph's output that is the next step's input" }),
          shape: Type.Array(Type.Integer({ minimum: 1 })),
        },
        { additionalProperties: false },
      ),
      { default: {}, description: "Further tensors of the graph that carry over from step to step, zero at first" },
    ),
  },
  { additionalProperties: false, description: "For the pipeline onnx: what the graph takes and gives" },
);

export type OnnxDeclaration = Static<typeof onnxDeclaration>;
