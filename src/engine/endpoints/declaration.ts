// The section `endpoints` of a model file: further ids under which a model is called in other words than its pipeline's.
import { choice, type Static, Type } from "../../core/schema.ts";

const description = Type.Optional(Type.String({ description: "For people; absent: the pipeline's" }));
const range = {
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  values: Type.Optional(
    Type.Array(Type.Union([Type.String(), Type.Number()]), {
      minItems: 1,
      description: "Only these; numbers may come as text too",
    }),
  ),
};

/** A field of requests that stands for an input of the pipeline. */
const meant = Type.Object(
  {
    input: Type.Optional(
      Type.String({ description: "The pipeline's input that it stands for; absent: the one of its own name" }),
    ),
    default: Type.Optional(Type.Unknown()),
    required: Type.Optional(Type.Boolean({ description: "true: must be given, though the pipeline has a default" })),
    ...range,
    description,
  },
  { additionalProperties: false },
);

/** A field of requests that changes nothing here. */
const accepted = Type.Object(
  {
    accepted: choice(["string", "integer", "number", "boolean", "list", "object"], {
      description: "Its type. It is checked and then changes nothing",
    }),
    default: Type.Optional(Type.Unknown()),
    ...range,
    refusal: Type.Optional(
      Type.String({
        description:
          "Why values other than the default are refused: for fields that would change the result where they are known",
      }),
    ),
    description,
  },
  { additionalProperties: false },
);

/** A field of requests that names the model, which is this one already. */
const naming = Type.Object(
  {
    names: Type.Literal("model", { description: "Takes the names of this model alone: id, repository and aliases" }),
    required: Type.Optional(Type.Boolean()),
    description,
  },
  { additionalProperties: false },
);

const answered = Type.Object(
  {
    output: Type.Optional(
      Type.String({ description: "The pipeline's output that it is; absent: the one of its own name" }),
    ),
    field: Type.Optional(Type.String({ description: "The field of the request that it repeats" })),
    description,
  },
  { additionalProperties: false },
);

export const endpointDeclaration = Type.Object(
  {
    like: Type.Optional(
      Type.String({
        description:
          "An endpoint of fal's that is known here, which this one is like but for what follows; an endpoint of that id is like it anyway",
      }),
    ),
    inputs: Type.Optional(
      Type.Record(Type.String(), Type.Union([naming, accepted, meant]), {
        description: "Fields of its requests, by name",
      }),
    ),
    open: Type.Optional(
      Type.Boolean({
        description: "true: takes the pipeline's other inputs too. Absent: only where neither like nor inputs say some",
      }),
    ),
    fixed: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "Inputs of the pipeline that always have this value",
      }),
    ),
    outputs: Type.Optional(
      Type.Record(Type.String(), answered, { description: "Fields of its answers; absent: the pipeline's" }),
    ),
  },
  { additionalProperties: false },
);

export type EndpointDeclaration = Static<typeof endpointDeclaration>;
export type EndpointInputs = NonNullable<EndpointDeclaration["inputs"]>;
export type EndpointInput = EndpointInputs[string];
export type MeantInput = Static<typeof meant>;
export type AcceptedInput = Static<typeof accepted>;
export type NamingInput = Static<typeof naming>;

export const isAccepted = (input: EndpointInput): input is AcceptedInput => "accepted" in input;
export const isNaming = (input: EndpointInput): input is NamingInput => "names" in input;
