// fal's endpoints that answer in words what is in a picture, by any model that reads pictures (fal-protocol.md 12).
import type { FalEndpoint } from "../fal-endpoint.ts";

const asked: FalEndpoint = {
  pipeline: "chat",
  inputs: { image_url: { required: true }, prompt: { required: true } },
  outputs: { output: {} },
};

const described: FalEndpoint = {
  pipeline: "chat",
  inputs: { image_url: { required: true } },
  fixed: { prompt: "Describe this image." },
  outputs: { output: {} },
};

export const moondream: Record<string, FalEndpoint> = {
  "fal-ai/moondream2": described,
  "fal-ai/moondream2/visual-query": asked,
};
