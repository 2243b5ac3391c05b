// A model of two repositories: its own weights, and others in a folder of their own.
import { createFakeHub, type FakeHubOptions, noise } from "./fake-hub.ts";
import { testModel } from "./test-models.ts";

export const ownFiles = { "config.json": noise(40, 1), "onnx/model.onnx": noise(4000, 2), "README.md": noise(9, 3) };
export const earFiles = { "config.json": noise(50, 4), "onnx/model.onnx": noise(3000, 5), LICENSE: noise(9, 6) };

export const earsSource = { repo: "acme/ears", revision: "main", include: ["*.json", "onnx/*"], bytes: 3050 };

/** In the model its graph is `ears/onnx/model.onnx`. */
export const twoSources = (change: Record<string, unknown> = {}, id = "acme/two") =>
  testModel(id, {
    source: { repo: "acme/own", revision: "main", include: ["*.json", "onnx/*"], bytes: 4040 },
    beside: { ears: { source: earsSource, licence: { id: "CC-BY-4.0", commercial: true, url: "https://a.b/terms" } } },
    ...change,
  });

export const twoRepositories = (options: Omit<FakeHubOptions, "repos"> = {}) =>
  createFakeHub({ repos: { "acme/own": { files: ownFiles }, "acme/ears": { files: earFiles } }, ...options });
