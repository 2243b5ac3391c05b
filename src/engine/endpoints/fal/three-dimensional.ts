// fal's endpoints that make 3D models of pictures.
import type { FalEndpoint } from "../fal-endpoint.ts";

export const threeDimensional: Record<string, FalEndpoint> = {
  "fal-ai/triposr": {
    pipeline: "image-to-3d",
    inputs: {
      image_url: { required: true },
      output_format: {},
      do_remove_background: {},
      foreground_ratio: {},
      mc_resolution: {},
    },
    outputs: { model_mesh: {}, timings: {} },
  },
};
