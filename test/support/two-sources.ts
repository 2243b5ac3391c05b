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

/** The graph in `ears` is of single precision on the CPU and of half on cards, where `own` adds to the model's own source. */
export const twoSourcesByDevice = (own: Record<string, unknown> = {}) =>
  twoSources({
    beside: { ears: { source: { ...earsSource, include: ["*.json"], bytes: 50 } } },
    devices: { cpu: "fp32", webgpu: "fp16", cuda: "fp16" },
    variants: {
      fp32: { beside: { ears: { include: ["onnx/model.onnx"], bytes: 3000 } } },
      fp16: { ...own, beside: { ears: { include: ["onnx/half.onnx"], bytes: 1500 } } },
    },
  });

export const twoRepositories = (options: Omit<FakeHubOptions, "repos"> = {}) =>
  createFakeHub({ repos: { "acme/own": { files: ownFiles }, "acme/ears": { files: earFiles } }, ...options });
