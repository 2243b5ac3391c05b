// What a workflow is: nodes that depend on each other, and which of their results it gives (fal-protocol.md 11).
import { choice, type Static, type TObject, type TSchema, Type } from "../../core/schema.ts";

/** The endpoint of workflows that come with their call. */
export const EXECUTE = "workflows/execute";

const free = (description: string) => Type.Record(Type.String(), Type.Unknown(), { default: {}, description });

/** Defaults do not reach into records: what may be left out is filled in by `nodesOf`. */
const nodeSchema = Type.Object({
  id: Type.Optional(Type.String({ maxLength: 100, description: "The same as its name in the map" })),
  type: choice(["input", "run", "display"], {
    description: "run: executes a model or utility; display: names outputs; input: declares inputs",
  }),
  depends: Type.Optional(Type.Array(Type.String(), { maxItems: 200, description: "Nodes that come before it" })),
  app: Type.Optional(Type.String({ maxLength: 200, description: "Endpoint id, of a `run` node" })),
  input: Type.Optional(free("Values, and references such as `$input.prompt` or `$node.images.0.url`")),
  fields: Type.Optional(free("Outputs by name, of a `display` node")),
});

export const nodesSchema = Type.Record(Type.String(), nodeSchema, { description: "Nodes by name" });

type WrittenNode = Static<typeof nodeSchema>;
type WrittenNodes = Record<string, WrittenNode>;
export type WorkflowNode = WrittenNode & Required<Pick<WrittenNode, "depends" | "input" | "fields">>;

export const nodesOf = (written: WrittenNodes): Record<string, WorkflowNode> =>
  Object.fromEntries(
    Object.entries(written).map(([id, node]) => [
      id,
      { ...node, depends: node.depends ?? [], input: node.input ?? {}, fields: node.fields ?? {} },
    ]),
  );

const fieldSchema = Type.Object(
  {
    name: Type.Optional(Type.String()),
    label: Type.Optional(Type.String()),
    type: Type.Optional(Type.String({ description: "string, number, integer, boolean, array or object" })),
    description: Type.Optional(Type.String()),
    required: Type.Optional(Type.Boolean()),
    default: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: Type.Unknown() },
);

export const contentsSchema = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 200 })),
  version: Type.Optional(Type.String({ maxLength: 50 })),
  nodes: nodesSchema,
  output: free("References by name: what the workflow gives. Absent: the fields of its display nodes"),
  schema: Type.Object(
    {
      input: Type.Record(Type.String(), fieldSchema, { default: {} }),
      output: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
    },
    { default: { input: {}, output: {} } },
  ),
  metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

export type Contents = Static<typeof contentsSchema>;

/** What runs: the same for stored workflows and for those that come with their call. */
export type Definition = {
  nodes: Record<string, WorkflowNode>;
  /** Empty: what the display nodes show. */
  output: Record<string, unknown>;
  /** Inputs that it declares; undefined where every name is allowed. */
  inputs: Record<string, Static<typeof fieldSchema>> | undefined;
};

export const definitionOf = ({ nodes, output, schema }: Contents): Definition => ({
  nodes: nodesOf(nodes),
  output,
  inputs: schema.input,
});

const types: Record<string, () => TSchema> = {
  string: () => Type.String(),
  number: () => Type.Number(),
  float: () => Type.Number(),
  integer: () => Type.Integer(),
  boolean: () => Type.Boolean(),
  array: () => Type.Array(Type.Unknown()),
  object: () => Type.Record(Type.String(), Type.Unknown()),
};

/** What callers of a stored workflow may send; fields of other types are not looked into. */
export function inputSchemaOf({ schema }: Pick<Contents, "schema">): TObject {
  const fields = Object.entries(schema.input).map(([name, field]) => {
    const plain = types[field.type ?? ""]?.() ?? Type.Unknown();
    const described = { ...plain, ...(field.description !== undefined && { description: field.description }) };
    const withDefault = field.default === undefined ? described : { ...described, default: field.default };
    return [name, field.required === true ? withDefault : Type.Optional(withDefault)] as const;
  });
  return Type.Object(Object.fromEntries(fields));
}
