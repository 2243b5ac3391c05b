import { describe, expect, test } from "bun:test";
import { choice, mediaUrl, parse, Type } from "../../../src/core/schema.ts";
import { toOpenApi, toOpenApiInput } from "../../../src/gateway/docs/openapi-schema.ts";

describe("a schema in OpenAPI 3.0", () => {
  test("keeps order, defaults, ranges and menus", () => {
    const schema = Type.Object({
      zeta: Type.Integer({ minimum: 1, maximum: 4, default: 2, description: "How many" }),
      alpha: choice(["png", "jpeg"], { default: "jpeg" }),
    });
    expect(toOpenApi(schema)).toEqual({
      type: "object",
      required: ["zeta", "alpha"],
      properties: {
        zeta: { type: "integer", minimum: 1, maximum: 4, default: 2, description: "How many" },
        alpha: { type: "string", enum: ["png", "jpeg"], default: "jpeg" },
      },
      "x-fal-order-properties": ["zeta", "alpha"],
    });
  });

  test("says exclusive bounds, constants, records and examples in its own words", () => {
    expect(toOpenApi(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }))).toEqual({
      type: "number",
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 1,
      exclusiveMaximum: true,
    });
    expect(toOpenApi(Type.Union([Type.Literal(1), Type.Literal("a")]))).toEqual({
      anyOf: [
        { type: "number", enum: [1] },
        { type: "string", enum: ["a"] },
      ],
    });
    expect(toOpenApi(Type.Record(Type.String(), Type.Number()))).toMatchObject({
      additionalProperties: { type: "number" },
    });
    expect(toOpenApi(Type.String({ examples: ["a", "b"] }))).toEqual({ type: "string", example: "a" });
    expect(toOpenApi(Type.Null())).toEqual({ enum: [null], nullable: true });
    expect(toOpenApi(choice(["a", "b"], { amounts: { a: 1, b: 2 } }))).toEqual({ type: "string", enum: ["a", "b"] });
  });

  test("goes through lists and unions, and keeps fal's hints but not our words", () => {
    const schema = Type.Object({ images: Type.Array(Type.Object({ image_url: mediaUrl("image", "A picture") })) });
    const text = JSON.stringify(toOpenApi(schema));
    expect(text).toContain('"ui":{"field":"image","important":true}');
    expect(text).not.toContain('"media"');
    expect(text.match(/x-fal-order-properties/g)).toHaveLength(2);
  });

  test("says of an input where null is taken for an absent field, at any depth, as it is read", () => {
    const detail = Type.Object({ url: Type.String(), detail: Type.Optional(choice(["low", "high"])) });
    const schema = Type.Object({
      parts: Type.Array(detail),
      either: Type.Optional(Type.Union([Type.String(), detail])),
    });
    const described = {
      type: "object",
      required: ["url"],
      properties: {
        url: { type: "string" },
        detail: { type: "string", enum: ["low", "high", null], nullable: true },
      },
    };
    expect(toOpenApiInput(schema)).toMatchObject({
      required: ["parts"],
      properties: {
        parts: { type: "array", items: described },
        either: { anyOf: [{ type: "string" }, described], nullable: true },
      },
    });
    const without = { url: "a" };
    const withNull = { url: "a", detail: null };
    expect(parse(schema, { parts: [withNull], either: withNull })).toEqual({ parts: [without], either: without });
    expect(parse(schema, { parts: [], either: null })).toEqual({ parts: [] });
    expect(() => parse(schema, { parts: [{ url: null }] })).toThrow("parts.0.url");
  });
});
