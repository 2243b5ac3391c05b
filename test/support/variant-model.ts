// A model whose weights differ by device, and a Hub that has them: single precision for the CPU, half for GPUs.
import { createFakeHub, type FakeHubOptions, noise } from "./fake-hub.ts";
import { testModel } from "./test-models.ts";

export const variantFiles = {
  "config.json": noise(40, 1),
  "onnx/model.onnx": noise(4000, 2),
  "onnx/model_fp16.onnx": noise(2000, 3),
};

export const variantModel = (id = "acme/variants", change: Record<string, unknown> = {}) =>
  testModel(id, {
    source: { repo: "acme/weights", revision: "main", include: ["config.json"], bytes: 40 },
    devices: { cpu: "fp32", webgpu: "fp16", cuda: "fp16" },
    variants: {
      fp32: { include: ["onnx/model.onnx"], bytes: 4000 },
      fp16: {
        include: ["onnx/model_fp16.onnx"],
        bytes: 2000,
        graphs: { "onnx/model.onnx": "onnx/model_fp16.onnx" },
        memory: { weights: 60_000_000 },
      },
    },
    ...change,
  });

export const variantHub = (options: Partial<FakeHubOptions> = {}) =>
  createFakeHub({ repos: { "acme/weights": { files: variantFiles } }, ...options });
