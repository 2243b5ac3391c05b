import { describe, expect, test } from "bun:test";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { checkDefinition, predecessors } from "../../../src/control/workflows/check.ts";
import { type Definition, nodesOf, nodesSchema } from "../../../src/control/workflows/definition.ts";
import { referenceIn, resolved, valueAt } from "../../../src/control/workflows/references.ts";
import { utilityNames, utilityOf } from "../../../src/control/workflows/utilities.ts";
import { parse, Type } from "../../../src/core/schema.ts";

const catalog = createCatalog({});
const definition = (nodes: Record<string, unknown>, more: Partial<Definition> = {}): Definition => ({
  nodes: nodesOf(parse(Type.Object({ nodes: nodesSchema }), { nodes }).nodes),
  output: {},
  inputs: undefined,
  ...more,
});
const check = (nodes: Record<string, unknown>, more: Partial<Definition> = {}) =>
  checkDefinition(definition(nodes, more), {
    findApp: (app) => catalog.find(app) ?? utilityOf(app),
    nodesLoc: ["body", "workflow"],
    outputLoc: ["body", "output"],
  }).map(({ loc, msg }) => `${loc.slice(1).join(".")}: ${msg}`);

const echo = (prompt: unknown, depends: string[] = []) => ({
  type: "run",
  app: "forecourt/echo",
  depends,
  input: { prompt },
});

describe("a workflow", () => {
  test("that is right has no problems", () => {
    expect(
      check({
        input: { type: "input", input: { prompt: "" } },
        a: echo("$input.prompt", ["input"]),
        "b-2": echo("$a.prompt", ["a"]),
        out: {
          type: "display",
          depends: ["b-2"],
          fields: { text: "$b-2.prompt", all: ["$a", { deep: "$b-2.steps" }] },
        },
      }),
    ).toEqual([]);
  });

  test("names nodes and models that do not exist", () => {
    expect(check({ a: { ...echo("x", ["ghost"]), app: "no/model" } })).toEqual([
      "workflow.a.depends.0: There is no node ghost",
      "workflow.a.app: There is no model no/model on this box",
    ]);
    expect(check({ a: echo(["$ghost.prompt"]) })).toEqual([
      "workflow.a.input.prompt.0: $ghost.prompt: there is no node ghost",
    ]);
    expect(check({ a: { type: "run" } })).toEqual(["workflow.a.app: Field required"]);
  });

  test("names outputs that a model does not have", () => {
    const draw = { type: "run", app: "forecourt/demo-diffusion", input: { prompt: "x" } };
    const using = (reference: string) => check({ draw, a: echo(reference) });
    expect(using("$draw.images.0.url")).toEqual([]);
    expect(using("$draw.image.url")).toEqual([
      "workflow.a.input.prompt: $draw.image.url: the output of draw has no image.url",
    ]);
    expect(using("$draw.images.first.url")).toHaveLength(1);
    expect(using("$draw.prompt.deeper")).toHaveLength(1);
  });

  test("names fixed inputs that the model refuses, and required ones that are missing", () => {
    expect(check({ a: { type: "run", app: "forecourt/echo", input: { steps: 5000 } } })).toEqual([
      "workflow.a.input.prompt: Field required",
      "workflow.a.input.steps: Input should be less than or equal to 1000",
    ]);
    expect(check({ a: { ...echo("x"), input: { prompt: "x", steps: "$input.steps" } } })).toEqual([]);
  });

  test("that goes round in a circle names the nodes in it", () => {
    expect(check({ a: echo("x", ["c"]), b: echo("$a.prompt"), c: echo("x", ["b"]), free: echo("x") })).toEqual([
      "workflow.a.depends: a waits, by way of others, for itself",
      "workflow.b.depends: b waits, by way of others, for itself",
      "workflow.c.depends: c waits, by way of others, for itself",
    ]);
    expect(check({ a: echo("$a.prompt") })).toHaveLength(1);
  });

  test("has known inputs only, where it declares them", () => {
    const declared = { inputs: { prompt: { required: true } } };
    expect(check({ a: echo("$input.prompt") }, declared)).toEqual([]);
    expect(check({ a: echo("$input.other") }, declared)).toHaveLength(1);
    expect(check({ a: echo("x") }, { output: { text: "$b.prompt" } })).toEqual([
      "output.text: $b.prompt: there is no node b",
    ]);
  });

  test("has between one and two hundred nodes with plain names", () => {
    expect(check({})).toHaveLength(1);
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`n${at}`, echo("x")]));
    expect(check(many)).toHaveLength(1);
    expect(check({ "a b": echo("x") })).toHaveLength(1);
    expect(check({ a: { ...echo("x"), id: "b" } })).toEqual(["workflow.a.id: Input should be a, the node's name"]);
  });

  test("order follows what nodes refer to, said or not", () => {
    const { nodes } = definition({ a: echo("x"), b: echo("$a.prompt"), c: echo("$b.prompt", ["a", "input"]) });
    expect(predecessors({ nodes }, "c").sort()).toEqual(["a", "b"]);
  });
});

describe("references", () => {
  test("are whole texts; all else is text", () => {
    expect(referenceIn("$node-1.images.0.url")).toEqual({ node: "node-1", path: ["images", "0", "url"] });
    expect(referenceIn("$node")).toEqual({ node: "node", path: [] });
    for (const text of ["see $node.url", "$5", "$", "$ node", "$node.", "$$node", "", 5])
      expect(referenceIn(text)).toBeUndefined();
  });

  test("are followed deep into lists and objects, and leave out what leads nowhere", () => {
    const value = { a: "$x.list.1", b: ["$x.none", "$x.list.0"], c: "$x.none", d: "$$x", e: { f: "$x" } };
    const x = { list: ["zero", 1] };
    expect(resolved(value, ({ path }) => valueAt(x, path))).toEqual({ a: 1, b: ["zero"], d: "$x", e: { f: x } });
  });

  test("reach nothing that objects have by birth", () => {
    expect(valueAt({}, ["constructor", "name"])).toBeUndefined();
    expect(valueAt([], ["length"])).toBe(0);
    expect(valueAt("text", ["length"])).toBeUndefined();
  });
});

describe("utilities", () => {
  const run = (name: string, input: unknown) => utilityOf(`fal-ai/workflow-utilities/${name}`)?.run(input);

  test("compute what they say", () => {
    expect(run("text-concat", { text1: "a: ", text2: "b" })).toEqual({ results: "a: b" });
    expect(utilityOf("fal-ai/text-concat")?.run({ text1: "a", text2: "b" })).toEqual({ results: "ab" });
    expect(utilityOf("fal-ai/workflowutils/text-concat")?.run({ text2: "b" })).toEqual({ results: "b" });
    expect(run("merge-text", { texts: ["a", "b"], separator: ", " })).toEqual({ text: "a, b" });
    expect(run("template", { template: "{a} and {b}, {c}", values: { a: 1, b: "x" } })).toEqual({
      text: "1 and x, {c}",
    });
    expect(run("text-replace", { text: "a.a", search: "a", replacement: "$&" })).toEqual({ text: "$&.$&" });
    expect(run("text-split", { text: " one \n\n two" })).toEqual({ items: ["one", "two"] });
    expect(run("json-parse", { text: 'Here:\n```json\n{"a": [1]}\n```' })).toEqual({ value: { a: [1] } });
    expect(run("select", { items: ["a", "b"], index: -1 })).toEqual({ item: "b" });
    expect(run("pick", { from: { images: [{ url: "u" }] }, path: "images.0.url" })).toEqual({ value: "u" });
    expect(run("first-of", { values: [null, "", "x"] })).toEqual({ value: "x" });
    expect(run("collect", { items: ["a", ["b", "c"]] })).toEqual({ items: ["a", "b", "c"], count: 3 });
    expect(run("choose", { value: "x", equals: "x", if_equal: 1, otherwise: 2 })).toEqual({ value: 1 });
    expect(run("choose", { value: false, otherwise: 2 })).toEqual({ value: 2 });
    expect(run("arithmetic", { a: 7, b: 2, operation: "divide", round: true })).toEqual({ result: 4 });
    expect(utilityNames).toHaveLength(12);
  });

  test("name the field that is wrong", () => {
    expect(() => run("select", { items: [], index: 3 })).toThrow("index");
    expect(() => run("json-parse", { text: "no" })).toThrow("text");
    expect(() => run("arithmetic", { a: 1, b: 0, operation: "divide" })).toThrow("b:");
    expect(() => run("merge-text", {})).toThrow("texts");
    expect(utilityOf("fal-ai/workflow-utilities/constructor")).toBeUndefined();
  });
});
