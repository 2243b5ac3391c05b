// SpeechT5: letters to a spectrogram step by step, then to sound; who speaks is a vector of numbers.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { keptOf, PAST } from "../beams/kept.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { expectReadable, knownBy } from "./readable.ts";
import { stretch } from "./stretch.ts";
import { tokenIds } from "./token-ids.ts";
import type { LoadVoice } from "./voice.ts";
import { readOnce, readVoice, voiceNames } from "./voice-files.ts";

const RATE = 16_000;
/** Defaults of transformers' generate_speech: the end is reached at such a probability, or at so many frames per letter. */
const END_PROBABILITY = 0.5;
const MOST_FRAMES_PER_TOKEN = 20;
/** Of the tokenizer, around the text. */
const MARKS = 2;

/** Of config.json, with microsoft/speecht5_tts' values for what it leaves out. */
function sizesOf(config: Record<string, unknown>) {
  const size = (name: string, usual: number) => Number(config[name] ?? usual);
  const heads = size("decoder_attention_heads", 12);
  return {
    heads,
    width: size("hidden_size", 768) / heads,
    bands: size("num_mel_bins", 80),
    framesPerStep: size("reduction_factor", 2),
    voice: size("speaker_embedding_dim", 512),
    longest: size("max_text_positions", 450) - MARKS,
    // transformers' own value: nothing comes out of the graph beyond it.
    mostSteps: size("max_speech_positions", 4000),
  };
}

type Sizes = ReturnType<typeof sizesOf>;
type Graphs = { encoder: Graph; decoder: Graph; vocoder: Graph };

/**
 * The usual exports drop numbers at random within the decoder also when they speak, as the original does: what they say
 * differs a little each time, whatever the seed.
 */
export const loadSpeechT5: LoadVoice = async (assets, config) => {
  const sizes = sizesOf(config);
  const voices = voiceNames(assets);
  const tokenizer = await assets.transformers("AutoTokenizer");
  const graphs = await openGraphs(assets);
  const vectorOf = readOnce((voice) => readVoice(assets, voice, sizes.voice));
  return {
    rate: RATE,
    longest: sizes.longest,
    voices,
    expectReadable: (text) => expectReadable(text, knownBy(tokenizer)),
    async speak({ text, voice = voices[0] ?? "", speed, signal }) {
      const ids = await tokenIds(tokenizer, text);
      const numbers = await vectorOf(voice);
      const speaker = tensorOf("float32", [1, sizes.voice], numbers.subarray(0, sizes.voice));
      const spectrogram = await spectrogramOf(graphs, { ids, speaker, sizes, signal });
      const input = requirePort(graphs.vocoder.inputs, { names: ["spectrogram"], of: "vocoder" });
      const { waveform } = await graphs.vocoder.run({ [input.name]: spectrogram });
      // The speed of the model is what it learned.
      return stretch(toFloats(waveform ?? lacking("vocoder", "waveform")), speed);
    },
  };
};

async function openGraphs(assets: Assets): Promise<Graphs> {
  return {
    encoder: await assets.graph("onnx/encoder_model.onnx"),
    decoder: await assets.graph("onnx/decoder_model_merged.onnx"),
    // With what comes after the last step: SpeechT5's postnet is part of this graph.
    vocoder: await assets.graph("onnx/decoder_postnet_and_vocoder.onnx"),
  };
}

type Reading = { ids: readonly number[]; speaker: Tensor; sizes: Sizes; signal: AbortSignal };

/** [frames, bands], as transformers' generate_speech makes it. */
async function spectrogramOf({ encoder, decoder }: Graphs, { ids, speaker, sizes, signal }: Reading): Promise<Tensor> {
  const { bands, framesPerStep, mostSteps } = sizes;
  const port = requirePort(encoder.inputs, { names: ["input_ids"], of: "SpeechT5 encoder" });
  const read = await encoder.run({ [port.name]: tensorOf(port.dtype, [1, ids.length], ids) });
  const encoded = read.encoder_outputs ?? lacking("SpeechT5 encoder", "encoder_outputs");
  const mask = read.encoder_attention_mask ?? tensorOf("int64", [1, ids.length], new Array<number>(ids.length).fill(1));
  const most = Math.min(mostSteps, Math.floor(((encoded.shape[1] ?? 0) * MOST_FRAMES_PER_TOKEN) / framesPerStep));
  const frames: number[] = [];
  const always = { speaker_embeddings: speaker, encoder_hidden_states: encoded, encoder_attention_mask: mask };
  let told = tensorOf("float32", [1, 1, bands], new Float32Array(bands));
  let past: ReadonlyMap<string, Tensor> | undefined;
  for (let step = 0, isOver = most === 0; !isOver; step++) {
    signal.throwIfAborted();
    const results = await decoder.run(feedsOf(decoder, { always, told, past, sizes }));
    const { spectrum, prob, output_sequence_out } = results;
    for (const value of toFloats(spectrum ?? lacking("SpeechT5 decoder", "spectrum"))) frames.push(value);
    told = output_sequence_out ?? lacking("SpeechT5 decoder", "output_sequence_out");
    past = keptOf(results, past);
    const ends = toFloats(prob ?? lacking("SpeechT5 decoder", "prob")).some((each) => each >= END_PROBABILITY);
    isOver = ends || step + 1 >= most;
  }
  return tensorOf("float32", [frames.length / bands, bands], Float32Array.from(frames));
}

type Step = {
  always: Record<string, Tensor>;
  told: Tensor;
  past: ReadonlyMap<string, Tensor> | undefined;
  sizes: Sizes;
};

function feedsOf({ inputs }: Graph, { always, told, past, sizes: { heads, width } }: Step): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const { name, dtype } of inputs) {
    const given = always[name];
    if (given) feeds[name] = given;
    else if (name === "output_sequence") feeds[name] = told;
    else if (name === "use_cache_branch") feeds[name] = tensorOf("bool", [1], [past ? 1 : 0]);
    else if (name.startsWith(PAST))
      feeds[name] = past?.get(name.slice(PAST.length)) ?? tensorOf(dtype, [1, heads, 0, width], []);
    else throw unusable(`the SpeechT5 decoder wants "${name}", which is not known here`);
  }
  return feeds;
}

const lacking = (graph: string, output: string): never => {
  throw unusable(`the ${graph} gives no "${output}"`);
};
const unusable = (why: string) => new ForecourtError("runner_failed", `the model cannot be used: ${why}`);
