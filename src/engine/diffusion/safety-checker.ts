// Stable Diffusion's own judgement of its pictures: which of them nobody should see.
import { invariant } from "../../core/errors.ts";
import type { Assets, Pixels } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { requirePort, tensorOf } from "../tensor/tensor.ts";
import { pictureTensor } from "../vision/picture-tensor.ts";
import type { PreprocessorConfig } from "../vision/preprocess.ts";

export type SafetyChecker = {
  /** For each picture whether it shows what it should not. */
  check(pictures: readonly Pixels[]): Promise<boolean[]>;
};

const GRAPH = "safety_checker/model.onnx";
const CONFIG = "feature_extractor/preprocessor_config.json";

/** CLIP's, for repositories without a feature extractor's config. */
const CLIP: PreprocessorConfig = { size: { shortest_edge: 224 }, crop_size: 224 };

/** Of a repository in the legacy layout; undefined where it has none. Its graph is opened when it is first asked. */
export function safetyCheckerOf(assets: Assets): SafetyChecker | undefined {
  if (!assets.has(GRAPH)) return undefined;
  return {
    async check(pictures) {
      const graph = await assets.graph(GRAPH);
      const config = assets.has(CONFIG) ? await assets.json<PreprocessorConfig>(CONFIG) : CLIP;
      const seen = requirePort(graph.inputs, { names: ["clip_input"], of: "safety checker" });
      const shown = graph.inputs.find(({ name }) => name === "images");
      const verdict = requirePort(graph.outputs, { names: ["has_nsfw_concepts"], of: "safety checker" });
      const verdicts: boolean[] = [];
      for (const picture of pictures) {
        // The graph blackens this copy too; what is blackened here are the pictures themselves.
        const copy = shown && {
          [shown.name]: blackTensor(shown),
        };
        const results = await graph.run({ [seen.name]: await pictureTensor(seen, [picture], config), ...copy });
        const found = results[verdict.name];
        invariant(found, "a graph gives each of its outputs");
        verdicts.push(Number(found.data[0]) !== 0);
      }
      return verdicts;
    },
  };
}

function blackTensor({ dtype, shape }: Port): Tensor {
  const sides = shape.map((side, at) => (typeof side === "number" ? side : at === 3 ? 3 : 1));
  return tensorOf(
    dtype,
    [1, ...sides.slice(1)],
    new Float32Array(sides.slice(1).reduce((size, side) => size * side, 1)),
  );
}

/** Black, of the same size. */
export const blackened = ({ width, height }: Pixels): Pixels => ({
  data: new Uint8Array(width * height * 3),
  width,
  height,
  channels: 3,
});
