import { expect, test } from "bun:test";
import { pascalId, pascalIds } from "../../../src/gateway/docs/schema-names.ts";

test("names are formed as fal forms them", () => {
  expect(pascalId("fal-ai/flux/dev")).toBe("FluxDev");
  expect(pascalId("fal-ai/fast-sdxl")).toBe("FastSdxl");
  expect(pascalId("forecourt/demo-diffusion")).toBe("ForecourtDemoDiffusion");
  expect(pascalId("fal-ai/3d/x_y.z")).toBe("Model3dXYZ");
});

test("ids that read alike get names of their own", () => {
  const names = pascalIds(["a/b-c", "a/b/c", "a/b_c"]);
  expect([...names.values()]).toEqual(["ABC", "ABC2", "ABC3"]);
});
