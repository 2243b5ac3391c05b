// MusicGen in transformers.js' layout: text encoder, decoder of codes, and EnCodec's decoder from codes to sound.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { createSampler, type Sampling } from "../generation/sample.ts";
import type { Channels } from "../media/channels.ts";
import { letIn } from "../pause.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { loadT5Tokenizer } from "../text/t5-tokenizer.ts";
import { delayPattern } from "./delay-pattern.ts";
import { guided } from "./guidance.ts";
import { type Condition, loadTokenDecoder, type TokenDecoder } from "./token-decoder.ts";

/** What is read of config.json. */
type Config = {
  model_type?: string;
  audio_encoder: { sampling_rate: number; upsampling_ratios: number[] };
  decoder: {
    num_codebooks: number;
    num_hidden_layers: number;
    audio_channels?: number;
    vocab_size: number;
    max_position_embeddings?: number;
    pad_token_id?: number;
  };
};

export type Composing = {
  prompt: string;
  /** At least as many as a channel has codebooks, at most `longest`. */
  frames: number;
  /** 1: none. */
  guidance: number;
  sampling: Sampling;
  signal: AbortSignal;
};

/** `at` of `of` steps are done. */
export type Composed = { at: number; of: number };

export type MusicModel = Awaited<ReturnType<typeof loadMusicgen>>;

/** T5's own. */
const LONGEST_PROMPT = 512;

/** Throws `weights_missing` for a folder of another layout and `misconfigured` for another model. */
export async function loadMusicgen(assets: Assets) {
  const { model_type: type, audio_encoder: codec, decoder } = await assets.json<Config>("config.json");
  if (type !== "musicgen")
    throw new ForecourtError("misconfigured", `config.json names the model type ${type}; make-music knows musicgen`);
  const tokenizer = await loadT5Tokenizer(assets, { folder: ".", maxLength: LONGEST_PROMPT });
  const encoder = await assets.graph("onnx/text_encoder.onnx");
  const path = "onnx/decoder_model_merged.onnx";
  const tokens = await loadTokenDecoder(assets, path, decoder.num_hidden_layers);
  const sound = await assets.graph("onnx/encodec_decode.onnx");
  const { num_codebooks: books, audio_channels: channels = 1, vocab_size: codes } = decoder;
  // The one behind the last code, as MusicgenDecoderConfig has it.
  const { pad_token_id: pad = codes, max_position_embeddings: positions = 2048 } = decoder;
  return {
    rate: codec.sampling_rate,
    channels,
    framesPerSecond: codec.sampling_rate / codec.upsampling_ratios.reduce((product, each) => product * each, 1),
    /** Frames that positions suffice for. */
    longest: positions - books / channels,
    /** Tokens of a prompt that are not read. */
    dropped: (prompt: string) => tokenizer.encode(prompt).dropped,
    /** The codes, codebook by codebook. */
    async *write({ prompt, guidance, ...writing }: Composing): AsyncGenerator<Composed, number[][]> {
      const { ids } = tokenizer.encode(prompt);
      const condition = await conditionOf(encoder, ids, guidance > 1);
      return yield* writeCodes({ tokens, condition, books, channels, pad, guidance, ...writing });
    },
    /** Of codes as `write` gives them. */
    async play(codes: readonly (readonly number[])[]): Promise<Channels> {
      const sides: Float32Array[] = [];
      for (let side = 0; side < channels; side++)
        sides.push(
          await play(
            sound,
            codes.filter((_, row) => row % channels === side),
          ),
        );
      return { channels: sides, rate: codec.sampling_rate };
    },
  };
}

/** With guidance a second row: nothing at all, which is how MusicGen learned to write without a prompt. */
async function conditionOf(encoder: Graph, ids: readonly number[], isGuided: boolean): Promise<Condition> {
  const shape = [1, ids.length];
  const port = requirePort(encoder.inputs, { names: ["input_ids"], of: "text encoder" });
  const mask = encoder.inputs.find(({ name }) => name === "attention_mask");
  const ones = ids.map(() => 1);
  const { last_hidden_state: states } = await encoder.run({
    [port.name]: tensorOf(port.dtype, shape, ids),
    ...(mask && { [mask.name]: tensorOf(mask.dtype, shape, ones) }),
  });
  if (!states) throw new ForecourtError("runner_failed", "the graph of the text encoder gives no last_hidden_state");
  if (!isGuided) return { states, mask: tensorOf("int64", shape, ones) };
  const values = toFloats(states);
  const both = new Float32Array(2 * values.length);
  both.set(values);
  const [, ...rest] = states.shape;
  return {
    states: tensorOf(states.dtype, [2, ...rest], both),
    mask: tensorOf("int64", [2, ids.length], [...ones, ...ids.map(() => 0)]),
  };
}

type Writing = Omit<Composing, "prompt"> & {
  tokens: TokenDecoder;
  condition: Condition;
  books: number;
  channels: number;
  pad: number;
};

async function* writeCodes(writing: Writing): AsyncGenerator<Composed, number[][]> {
  const { tokens, condition, books, channels, pad, guidance, frames, sampling, signal } = writing;
  const pattern = delayPattern({ frames, books, channels });
  const sampler = createSampler(sampling, []);
  const codes = Array.from({ length: books }, () => new Array<number>(frames).fill(0));
  const decoding = tokens.begin(condition);
  try {
    let given = new Array<number>(books).fill(pad);
    for (let step = 0; step < pattern.steps; step++) {
      // The event loop reads what was sent to this process meanwhile.
      await letIn(signal);
      const scores = await decoding.step(guidance > 1 ? [...given, ...given] : given);
      const chosen = guidance > 1 ? guided(scores, guidance) : scores;
      given = chosen.map((row, book) => {
        const frame = pattern.frameAt(book, step);
        if (frame === undefined) return pad;
        const code = sampler.next(row).token;
        const written = codes[book];
        if (written) written[frame] = code;
        return code;
      });
      yield { at: step + 1, of: pattern.steps };
    }
  } finally {
    decoding.release();
  }
  return codes;
}

/** One channel. */
async function play(graph: Graph, codes: readonly (readonly number[])[]): Promise<Float32Array> {
  const port = requirePort(graph.inputs, { names: ["audio_codes"], of: "sound decoder" });
  const shape = [1, 1, codes.length, codes[0]?.length ?? 0];
  const results: Record<string, Tensor> = await graph.run({ [port.name]: tensorOf(port.dtype, shape, codes.flat()) });
  const { audio_values: values } = results;
  if (!values) throw new ForecourtError("runner_failed", "the graph of the sound decoder gives no audio_values");
  return toFloats(values);
}
