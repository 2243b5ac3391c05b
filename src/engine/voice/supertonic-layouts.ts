// The two layouts of Supertonic's files: transformers.js' (three graphs, a tokenizer) and Supertone's own (four graphs, a
// table of letters). Names of inputs and outputs are those of the graphs.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { type Numbers, type SupertonicModel, speakSupertonic } from "./supertonic.ts";
import { tokenIds } from "./token-ids.ts";
import type { LoadVoice, Voice } from "./voice.ts";
import { readOnce, readStyle, readVoice, styleNames, voiceNames } from "./voice-files.ts";

/** In transformers.js' layout, as its SupertonicForConditionalGeneration runs it. */
export const loadSupertonic: LoadVoice = async (assets, config) => {
  const width = Number(config.style_dim ?? STYLE_WIDTH);
  const tokenizer = await assets.transformers("AutoTokenizer");
  const voiceOf = readOnce((name) => readVoice(assets, name, width));
  const encoder = await open(assets, "text_encoder");
  const denoiser = await open(assets, "latent_denoiser");
  const decoder = await open(assets, "voice_decoder");
  const ids = (text: string) => tokenIds(tokenizer, text);
  const between = readOnce(async (letter) => String(await ids(`a${letter}a`)));
  return await speakSupertonic({
    ...sizesOf(config),
    voices: voiceNames(assets),
    // A tokenizer may drop what it does not know or have an id for all of that.
    knows: async (letter) => (await between(letter)) !== (await between(NO_LETTER)),
    round: Math.ceil,
    async read(text, voice) {
      const input_ids = row(await ids(text));
      const attention_mask = ones(input_ids.shape);
      const rows = await voiceOf(voice);
      const style = { shape: [1, rows.length / width, width], values: rows };
      const read = await encoder.run({ input_ids, attention_mask, style });
      const encoder_outputs = read("last_hidden_state");
      return {
        seconds: read("durations").values[0] ?? 0,
        async denoise(latents, step, steps) {
          const results = await denoiser.run({
            ...{ style, encoder_outputs, attention_mask, noisy_latents: latents },
            latent_mask: ones([1, latents.shape[2] ?? 0]),
            ...{ timestep: one(step), num_inference_steps: one(steps) },
          });
          return results("denoised_latents");
        },
      };
    },
    decode: async (latents) => (await decoder.run({ latents }))("waveform").values,
  });
};

/** A private one, which no vocabulary has. */
const NO_LETTER = "\ue000";
const STYLE_WIDTH = 128;

export const SUPERTONE_CONFIG = "onnx/tts.json";

/** In Supertone's layout, as its own programs run it (github.com/supertone-inc/supertonic, py/helper.py). */
export async function loadSupertone(assets: Assets): Promise<Voice> {
  const { ae = {}, ttl = {} } = await assets.json<Partial<Record<"ae" | "ttl", Config>>>(SUPERTONE_CONFIG);
  const indexOf = await readIndexer(assets);
  const styleOf = readOnce((name) => readStyle(assets, name));
  const predictor = await open(assets, "duration_predictor");
  const encoder = await open(assets, "text_encoder");
  const estimator = await open(assets, "vector_estimator");
  const vocoder = await open(assets, "vocoder");
  return await speakSupertonic({
    ...sizesOf({ ...ae, ...ttl }),
    voices: styleNames(assets),
    knows: async (letter) => indexOf(letter) >= 0,
    round: Math.floor,
    async read(text, voice) {
      const text_ids = row(Array.from(text, indexOf));
      const text_mask = ones([1, ...text_ids.shape]);
      const { style_ttl, style_dp } = await styleOf(voice);
      const duration = await predictor.run({ text_ids, text_mask, style_dp });
      const encoded = await encoder.run({ text_ids, text_mask, style_ttl });
      return {
        seconds: duration().values[0] ?? 0,
        async denoise(latents, step, steps) {
          const results = await estimator.run({
            ...{ style_ttl, text_mask, text_emb: encoded(), noisy_latent: latents },
            latent_mask: ones([1, 1, latents.shape[2] ?? 0]),
            ...{ current_step: one(step), total_step: one(steps) },
          });
          return results();
        },
      };
    },
    decode: async (latent) => (await vocoder.run({ latent }))().values,
  });
}

/** Id of a letter by its code point; -1 where the model has none for it. */
async function readIndexer(assets: Assets): Promise<(letter: string) => number> {
  const path = "onnx/unicode_indexer.json";
  const indexer = await assets.json<unknown>(path);
  if (!Array.isArray(indexer) || !indexer.every(Number.isInteger))
    throw new ForecourtError("weights_missing", `${path} is no list of ids`, { details: { file: path } });
  return (letter) => Number(indexer[letter.codePointAt(0) ?? 0] ?? -1);
}

type Config = Record<string, unknown>;
/** With the published models' for what the config leaves out. */
function sizesOf(config: Config): Pick<SupertonicModel, "rate" | "latent"> {
  const size = (name: string, usual: number) => Number(config[name] ?? usual);
  const joined = size("chunk_compress_factor", 6);
  return {
    rate: size("sampling_rate", size("sample_rate", 44_100)),
    latent: { channels: size("latent_dim", 24) * joined, samples: size("base_chunk_size", 512) * joined },
  };
}

/** Of a run: an output by its name, the first one where none is named. */
type Results = (output?: string) => Numbers;

async function open(assets: Assets, name: string) {
  const graph = await assets.graph(`onnx/${name}.onnx`);
  return { run: (given: Record<string, Numbers>) => run(graph, name, given) };
}

async function run(graph: Graph, of: string, given: Record<string, Numbers>): Promise<Results> {
  const feeds = Object.entries(given).map(([name, { shape, values }]) => {
    const port = requirePort(graph.inputs, { names: [name], of });
    return [port.name, tensorOf(port.dtype, shape, values)] as const;
  });
  const results = await graph.run(Object.fromEntries(feeds));
  return (output = graph.outputs[0]?.name ?? "") => {
    const tensor = results[output];
    if (!tensor) throw new ForecourtError("runner_failed", `the model cannot be used: its ${of} gives no "${output}"`);
    return { shape: tensor.shape, values: toFloats(tensor) };
  };
}

const row = (ids: readonly number[]): Numbers => ({ shape: [1, ids.length], values: Float32Array.from(ids) });
const one = (value: number): Numbers => ({ shape: [1], values: Float32Array.of(value) });
const ones = (shape: readonly number[]): Numbers => ({
  shape,
  values: new Float32Array(shape.reduce((size, each) => size * each, 1)).fill(1),
});
