// What is wrong with a workflow before anything of it runs: unknown models, nodes and fields, cycles, inputs that are missing.
import type { FieldProblem } from "../../core/errors.ts";
import { fieldProblems } from "../../core/field-problems.ts";
import type { TObject, TSchema } from "../../core/schema.ts";
import type { Definition, WorkflowNode } from "./definition.ts";
import { type FoundReference, INPUT, referencesIn } from "./references.ts";

export type Loc = (string | number)[];

/** Schemas of what a `run` node may execute; undefined for an id that means nothing here. */
export type FindApp = (app: string) => { input: TObject; output: TObject } | undefined;

export type CheckParts = {
  findApp: FindApp;
  /** Where the nodes stand in the request. */
  nodesLoc: Loc;
  outputLoc: Loc;
};

/** A workflow is held in memory while it runs, and written whole. */
const MOST_NODES = 200;
const NODE_ID = /^[A-Za-z_][\w-]{0,99}$/;

export function checkDefinition(definition: Definition, parts: CheckParts): FieldProblem[] {
  const { nodesLoc, outputLoc } = parts;
  const entries = Object.entries(definition.nodes);
  if (entries.length === 0) return [problem(nodesLoc, "sequence_too_short", "A workflow needs at least one node")];
  if (entries.length > MOST_NODES)
    return [problem(nodesLoc, "sequence_too_long", `A workflow has at most ${MOST_NODES} nodes`)];
  const found = [
    ...entries.flatMap(([id, node]) => checkNode(definition, id, node, parts)),
    ...referencesIn(definition.output, outputLoc).flatMap((each) => checkReference(definition, each, parts)),
  ];
  return found.length > 0 ? found : cycleIn(definition, nodesLoc);
}

function checkNode(definition: Definition, id: string, node: WorkflowNode, parts: CheckParts): FieldProblem[] {
  const loc = [...parts.nodesLoc, id];
  const references = [...referencesIn(node.input, [...loc, "input"]), ...referencesIn(node.fields, [...loc, "fields"])];
  return [
    ...(NODE_ID.test(id) ? [] : [problem(loc, "value_error", "A node's name has letters, digits, - and _ only")]),
    ...(node.id === undefined || node.id === id
      ? []
      : [problem([...loc, "id"], "value_error", `Input should be ${id}, the node's name`)]),
    ...node.depends.flatMap((each, at) =>
      each === INPUT || Object.hasOwn(definition.nodes, each)
        ? []
        : [problem([...loc, "depends", at], "value_error", `There is no node ${each.slice(0, 100)}`)],
    ),
    ...references.flatMap((each) => checkReference(definition, each, parts)),
    ...(node.type === "run" ? checkApp(node, loc, parts) : []),
  ];
}

function checkApp({ app, input }: WorkflowNode, loc: Loc, { findApp }: CheckParts): FieldProblem[] {
  if (app === undefined) return [problem([...loc, "app"], "missing", "Field required")];
  const schemas = findApp(app);
  if (!schemas) return [problem([...loc, "app"], "value_error", `There is no model ${app.slice(0, 200)} on this box`)];
  const { properties, required = [] } = schemas.input;
  return Object.entries(properties).flatMap(([name, schema]: [string, TSchema]) => {
    const here = [...loc, "input", name];
    const value = input[name];
    if (value === undefined)
      return required.includes(name) && schema.default === undefined
        ? [problem(here, "missing", "Field required")]
        : [];
    // What a reference will bring is checked when it is there.
    if (value === null || referencesIn(value, here).length > 0) return [];
    return fieldProblems(schema, value, here.map(String)).map((each) => ({
      ...each,
      loc: [...here, ...each.loc.slice(here.length)],
    }));
  });
}

function checkReference(
  definition: Definition,
  { node, path, loc }: FoundReference,
  { findApp }: CheckParts,
): FieldProblem[] {
  const text = ["$", node, ...path.map((part) => `.${part}`)].join("");
  if (node === INPUT) {
    const [name] = path;
    const isKnown = definition.inputs === undefined || name === undefined || Object.hasOwn(definition.inputs, name);
    return isKnown ? [] : [problem(loc, "value_error", `${text}: the workflow declares no input ${name}`)];
  }
  const target = Object.hasOwn(definition.nodes, node) ? definition.nodes[node] : undefined;
  if (!target) return [problem(loc, "value_error", `${text}: there is no node ${node}`)];
  const output = target.type === "run" && target.app !== undefined ? findApp(target.app)?.output : undefined;
  return output === undefined || canHave(output, path)
    ? []
    : [problem(loc, "value_error", `${text}: the output of ${node} has no ${path.join(".")}`)];
}

/** May a value of this schema have something at this path? */
function canHave(schema: TSchema, [part, ...rest]: string[]): boolean {
  if (part === undefined) return true;
  if (Array.isArray(schema.anyOf)) return schema.anyOf.some((branch: TSchema) => canHave(branch, [part, ...rest]));
  if (schema.type === "array") return /^\d+$/.test(part) && (!schema.items || canHave(schema.items, rest));
  if (schema.type !== "object") return schema.type === undefined;
  if (!schema.properties) return true;
  const property: TSchema | undefined = schema.properties[part];
  return property === undefined ? schema.additionalProperties === true : canHave(property, rest);
}

/** Which nodes come before a node: those that it names and those that it refers to. */
export function predecessors({ nodes }: Pick<Definition, "nodes">, id: string): string[] {
  const node = nodes[id];
  if (!node) return [];
  const referred = referencesIn([node.input, node.fields], []).map(({ node }) => node);
  return [...new Set([...node.depends, ...referred])].filter((each) => Object.hasOwn(nodes, each));
}

/** Takes away what depends on nothing that is left, until nothing can be taken; what is left then goes round in a circle. */
function cycleIn(definition: Definition, loc: Loc): FieldProblem[] {
  const left = new Map(Object.keys(definition.nodes).map((id) => [id, predecessors(definition, id)]));
  for (let free = ready(left); free.length > 0; free = ready(left)) for (const id of free) left.delete(id);
  return [...left.keys()].map((id) =>
    problem([...loc, id, "depends"], "value_error", `${id} waits, by way of others, for itself`),
  );
}

const ready = (left: Map<string, string[]>) =>
  [...left].flatMap(([id, before]) => (before.some((each) => left.has(each)) ? [] : [id]));

const problem = (loc: Loc, type: string, msg: string): FieldProblem => ({ loc, type, msg });
