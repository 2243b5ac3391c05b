// Which models a key may use.
import { expect, test } from "bun:test";
import { mayUse } from "../../../src/control/keys/patterns.ts";

const flux = { id: "black-forest-labs/flux-1-schnell", aliases: ["fal-ai/flux/schnell"] };

test.each([
  [undefined, true],
  [["*"], true],
  [["fal-ai/flux/*"], true],
  [["fal-ai/*"], true],
  [["black-forest-labs/flux-?-schnell"], true],
  [["stabilityai/*", "black-forest-labs/*"], true],
  [["fal-ai/flux"], false],
  [["flux"], false],
  [["fal-ai/flux.schnell"], false],
  [["fal-ai/flux/[a-z]*"], false],
  [[], false],
])("%p lets a key use it: %p", (models, isAllowed) => {
  expect(mayUse({ ...(models && { models }) }, flux)).toBe(isAllowed);
});
