import { expect, test } from "bun:test";
import { choice, choiceOfNumbers, Type } from "../../src/core/schema.ts";
import { withSpelledValues } from "../../src/core/spelled-values.ts";

const schema = Type.Object({
  prompt: Type.String(),
  seed: Type.Optional(Type.Integer()),
  strength: Type.Number(),
  sync_mode: Type.Boolean(),
  language: Type.Union([Type.String(), Type.Integer()]),
  size: Type.Union([choice(["square"]), Type.Object({ width: Type.Integer() })]),
  steps: choiceOfNumbers([1, 2], "integer"),
  boxes: Type.Array(Type.Object({ x: Type.Number() })),
  shape: Type.Unknown(),
});
const read = (value: unknown) => withSpelledValues(schema, value);

test.each([
  [{ seed: "7" }, { seed: 7 }],
  [{ seed: " -7 " }, { seed: -7 }],
  [{ strength: "0.5" }, { strength: 0.5 }],
  [{ strength: "1e-2" }, { strength: 0.01 }],
  [{ sync_mode: "true" }, { sync_mode: true }],
  [{ sync_mode: "False" }, { sync_mode: false }],
  [{ size: { width: "512" } }, { size: { width: 512 } }],
  [{ boxes: [{ x: "1.5" }, { x: 2 }] }, { boxes: [{ x: 1.5 }, { x: 2 }] }],
])("%j is what it says: %j", (given, wanted) => expect(read(given)).toEqual(wanted));

test.each([
  ...[{ prompt: "7" }, { language: "7" }, { steps: "2" }, { size: "7" }, { shape: { width: "7" } }, { shape: "true" }],
  ...[{ seed: "7.5" }, { seed: "" }, { seed: "0x7" }, { seed: "9007199254740993" }, { strength: "half" }],
  ...[{ sync_mode: "yes" }, { sync_mode: "1" }, { boxes: "7" }, { unknown: "7" }, ["7"], "7", null, 7],
])("%j stays as it is", (given) => expect(read(given)).toEqual(given));
