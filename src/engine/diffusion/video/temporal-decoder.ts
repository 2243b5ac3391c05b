// The decoder of a video's latents that looks at neighbouring frames too: several are decoded together, so many at a time.
import { invariant } from "../../../core/errors.ts";
import type { Graph, Pixels } from "../../../core/pipeline.ts";
import { planesToPixels } from "../../tensor/pixels.ts";
import { requirePort, tensorOf, toFloats } from "../../tensor/tensor.ts";
import { latentScale, type VaeConfig } from "../latent-decoder.ts";

/** Of one pass where the export leaves it open: what Stable Video Diffusion's card advises where memory is short. */
const FRAMES_AT_ONCE = 8;

type Latents = { data: Float32Array; frames: number; channels: number; height: number; width: number };

export type TemporalDecoder = { decode(latents: Latents): AsyncGenerator<Pixels> };

export function createTemporalDecoder({ graph, config }: { graph: Graph; config: VaeConfig }): TemporalDecoder {
  const input = requirePort(graph.inputs, { names: ["latent_sample", "latents", "sample"], of: "VAE decoder" });
  const output = requirePort(graph.outputs, { names: ["sample", "image"], of: "VAE decoder" });
  const count = graph.inputs.find(({ name }) => name === "num_frames");
  const fixed = input.shape[0];
  const atOnce = typeof fixed === "number" && fixed > 1 ? fixed : FRAMES_AT_ONCE;
  const { scale } = latentScale(config);

  return {
    async *decode({ data, frames, channels, height, width }) {
      const size = channels * height * width;
      for (let from = 0; from < frames; from += atOnce) {
        const wanted = Math.min(atOnce, frames - from);
        // An export for so many frames gets the last one again and again where fewer are left.
        const given = atOnce === fixed ? atOnce : wanted;
        const some = new Float32Array(given * size);
        for (let i = 0; i < given; i++) {
          const at = Math.min(from + i, frames - 1) * size;
          some.set(
            data.subarray(at, at + size).map((value) => value / scale),
            i * size,
          );
        }
        const results = await graph.run({
          [input.name]: tensorOf(input.dtype, [given, channels, height, width], some),
          ...(count && { [count.name]: tensorOf(count.dtype, count.shape.length === 0 ? [] : [1], [given]) }),
        });
        const decoded = results[output.name];
        invariant(decoded, "a graph gives each of its outputs");
        const [, , rows = 0, columns = 0] = decoded.shape;
        const planes = toFloats(decoded);
        const area = planes.length / given;
        for (let i = 0; i < wanted; i++)
          yield planesToPixels(planes.subarray(i * area, (i + 1) * area), { width: columns, height: rows });
      }
    },
  };
}
