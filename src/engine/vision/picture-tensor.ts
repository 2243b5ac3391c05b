// Pictures as what a graph of a vision model sees.
import type { Pixels } from "../../core/pipeline.ts";
import type { Port, Tensor } from "../../core/tensor.ts";
import { fixedSize } from "../onnx/ports.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { type Preprocessed, type PreprocessorConfig, preprocess } from "./preprocess.ts";

type SeeingPort = Pick<Port, "dtype"> & Partial<Pick<Port, "shape">>;

/**
 * [pictures, 3, height, width]; at least one picture, and all become one size as `config` says. A graph that was exported
 * for one size sees every picture in it: of another shape it is stretched.
 */
export async function pictureTensor(
  port: SeeingPort,
  pictures: readonly Pixels[],
  config: PreprocessorConfig,
): Promise<Tensor> {
  const made: Preprocessed[] = [];
  for (const pixels of pictures) made.push(await fitted(pixels, port, config));
  const [{ planes: first, width, height } = { planes: new Float32Array(), width: 0, height: 0 }] = made;
  const { dtype } = port;
  const shape = [made.length, 3, height, width];
  if (made.length === 1) return tensorOf(dtype, shape, first);
  const planes = new Float32Array(made.length * first.length);
  for (const [i, { planes: own }] of made.entries()) planes.set(own, i * first.length);
  return tensorOf(dtype, shape, planes);
}

async function fitted(pixels: Pixels, { shape = [] }: SeeingPort, config: PreprocessorConfig): Promise<Preprocessed> {
  const made = await preprocess(pixels, config);
  const size = fixedSize({ shape });
  if (!size || (size.width === made.width && size.height === made.height)) return made;
  const { keep_aspect_ratio: _, crop_pct: __, ...stretching } = config;
  return await preprocess(pixels, { ...stretching, size, do_resize: true, do_center_crop: false });
}
