import { expect, test } from "bun:test";
import { createCatalog } from "../../src/control/catalog/catalog.ts";

test("every model of the catalogue reaches its runner as it is: messages travel as JSON", () => {
  const models = createCatalog({})
    .list()
    .map(({ model }) => model);
  expect(models.length).toBeGreaterThan(50);
  for (const model of models) expect(JSON.parse(JSON.stringify(model))).toEqual(model);
});
