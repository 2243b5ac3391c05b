// Pictures as what a graph of a vision model sees.
import type { Pixels } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { type PreprocessorConfig, preprocess } from "./preprocess.ts";

/** [pictures, 3, height, width]; at least one picture, and all become one size as `config` says. */
export function pictureTensor(
  { dtype }: Pick<Port, "dtype">,
  pictures: readonly Pixels[],
  config: PreprocessorConfig,
): Tensor {
  const made = pictures.map((pixels) => preprocess(pixels, config));
  const [{ planes: first, width, height } = { planes: new Float32Array(), width: 0, height: 0 }] = made;
  const shape = [made.length, 3, height, width];
  if (made.length === 1) return tensorOf(dtype, shape, first);
  const planes = new Float32Array(made.length * first.length);
  for (const [i, { planes: own }] of made.entries()) planes.set(own, i * first.length);
  return tensorOf(dtype, shape, planes);
}
