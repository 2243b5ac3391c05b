// Sounds of a request as a model of the CLAP family takes them.
import type { Assets, Graph, Task } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { readSound } from "../media/sound.ts";
import { createPause } from "../pause.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { type ClapConfig, type ClapFeatures, clapFeatures } from "./clap-features.ts";

/** Longer ones are refused: ten seconds are heard of them. */
const LONGEST_SECONDS = 1800;

export const loadClapFeatures = async (assets: Assets): Promise<ClapFeatures> =>
  clapFeatures(await assets.json<ClapConfig>("preprocessor_config.json"));

type Reading = {
  task: Pick<Task<unknown>, "media" | "convertSound" | "longestSoundSeconds" | "log">;
  url: string;
  /** Name of the input's field, or the way to it, for errors. */
  field: string;
  features: ClapFeatures;
  signal: AbortSignal;
};

/** What the model is shown. Throws `invalid_input`; a sound of which only a part is heard is told in the log. */
export async function hearSound({ task, url, field, features, signal }: Reading): Promise<Float32Array> {
  const longestSoundSeconds = Math.min(task.longestSoundSeconds ?? LONGEST_SECONDS, LONGEST_SECONDS);
  const { rate, longest } = features;
  const { samples } = await readSound({ task: { ...task, longestSoundSeconds }, url, field, rate, signal });
  if (samples.length > longest * rate)
    task.log(`${field} is longer than ${longest} seconds: the model hears parts of it`);
  return await features.of(samples, createPause(signal));
}

/** Feeds of a graph's audio tower; `heard` of one sound each. */
export function soundFeeds(
  { inputs }: Graph,
  { shape }: ClapFeatures,
  heard: readonly Float32Array[],
): Record<string, Tensor> {
  const values = new Float32Array(heard.length * shape.reduce((size, each) => size * each, 1));
  for (const [i, each] of heard.entries()) values.set(each, (i * values.length) / heard.length);
  return Object.fromEntries(
    inputs.flatMap(({ name, dtype }) => {
      if (name === "input_features") return [[name, tensorOf(dtype, [heard.length, ...shape], values)]];
      // With fusion every sound is shown as parts, which transformers marks so for one sound alone.
      if (name === "is_longer")
        return [
          [
            name,
            tensorOf(
              dtype,
              [heard.length, 1],
              heard.map(() => 1),
            ),
          ],
        ];
      return [];
    }),
  );
}
