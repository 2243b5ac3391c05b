import { describe, expect, test } from "bun:test";
import { choice, mediaUrl, Type } from "../../../src/core/schema.ts";
import { toOpenApi } from "../../../src/gateway/docs/openapi-schema.ts";

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
  });

  test("goes through lists and unions, and keeps fal's hints but not our words", () => {
    const schema = Type.Object({ images: Type.Array(Type.Object({ image_url: mediaUrl("image", "A picture") })) });
    const text = JSON.stringify(toOpenApi(schema));
    expect(text).toContain('"ui":{"field":"image","important":true}');
    expect(text).not.toContain('"media"');
    expect(text.match(/x-fal-order-properties/g)).toHaveLength(2);
  });
});
