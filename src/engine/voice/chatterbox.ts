// Chatterbox in transformers.js' layout: a recording's voice copied, speech written token by token by a language model, and
// made sound. Sources: the models' cards (onnx-community/chatterbox-ONNX, ResembleAI/chatterbox-turbo-ONNX), ChatterboxModel
// of transformers.js, T3.inference of resemble-ai/chatterbox.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import type { Tensor } from "../../core/tensor.ts";
import { createDecodeLoop, type DecodeLoop } from "../generation/decode-loop.ts";
import { loadDecoder } from "../generation/decoder.ts";
import { createPrefixes } from "../generation/prefixes.ts";
import { createSampler, type Sampling } from "../generation/sample.ts";
import type { Sound } from "../media/channels.ts";
import type { Beyond } from "../sight/beyond.ts";
import { BEYOND } from "../sight/seen-pictures.ts";
import { resample } from "../tensor/resample.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { languagesOf, spelt, textIn, tidyText } from "./chatterbox-text.ts";
import { readRecording, recordedVoices } from "./recordings.ts";
import { stretch } from "./stretch.ts";
import { tokenIds } from "./token-ids.ts";
import { createLegible } from "./unknown-signs.ts";
import type { LoadVoice } from "./voice.ts";
import { readOnce } from "./voice-files.ts";

const RATE = 24_000;

/** Tokens of speech are below the first of these; 25 of them are a second. */
const START = 6561;
const STOP = 6562;
const SILENCE = 4299;
/** Behind what is said, so that its end is heard. */
const SILENT_TOKENS = 3;
/** At most so many for a piece of text: 40 seconds. */
const MOST_TOKENS = 1000;

/** Longer pieces of text are read badly: fal's own endpoints take as many letters. */
const LONGEST_TEXT = 300;

/** More of a recording is not listened to; its makers' own code takes tokens from 15 seconds at most. */
const HEARD_SECONDS = 30;

/** The makers' defaults: of ChatterboxTTS.generate, and of ChatterboxTurboTTS.generate, whose prompt is cut from 5 seconds. */
const EXAGGERATION = 0.5;
const TEMPERATURE = 0.8;
const USUAL = { minP: 0.05, topP: 1, topK: 0, leastSeconds: 1 };
const TURBO = { minP: 0, topP: 0.95, topK: 1000, leastSeconds: 5 };

type Graphs = { listener: Graph; table: Graph; sound: Graph };

/** What the listener heard in a recording. */
type Speaker = Record<(typeof HEARD)[number], Tensor>;
const HEARD = ["audio_features", "audio_tokens", "speaker_embeddings", "speaker_features"] as const;

type Config = { text_config?: { num_hidden_layers?: number } };

export const loadChatterbox: LoadVoice = async (assets, config: Config) => {
  const recordings = recordedVoices(assets);
  const tokenizer = await assets.transformers("AutoTokenizer");
  const graphs: Graphs = {
    listener: await assets.graph("onnx/speech_encoder.onnx"),
    table: await assets.graph("onnx/embed_tokens.onnx"),
    sound: await assets.graph("onnx/conditional_decoder.onnx"),
  };
  const loop = await loadLoop(assets, config);
  const isTurbo = !graphs.table.inputs.some(({ name }) => name === "exaggeration");
  const languages = isTurbo ? ["en"] : languagesOf(await assets.json("tokenizer.json"));
  const form = (text: string) => (languages.length === 1 ? text : spelt(text));
  const { legible, expect } = await createLegible(tokenizer, form);
  const { leastSeconds, ...usual } = isTurbo ? TURBO : USUAL;
  const byRecording = new WeakMap<Sound, Promise<Speaker>>();

  const speakerNamed = readOnce<Speaker>(async (name) =>
    listen(graphs.listener, await readRecording(assets, recordings.get(name) ?? "")),
  );

  function speakerOf(recording: Sound): Promise<Speaker> {
    expectLong(recording, leastSeconds);
    const heard = byRecording.get(recording) ?? listen(graphs.listener, recording);
    byRecording.set(recording, heard);
    return heard;
  }

  return {
    rate: RATE,
    longest: LONGEST_TEXT,
    voices: [...recordings.keys()],
    takes: ["audio_url", "temperature", "language", ...(isTurbo ? [] : (["exaggeration"] as const))],
    expectReadable: expect,
    async speak({ text, voice, reference, exaggeration = EXAGGERATION, temperature = TEMPERATURE, ...rest }) {
      const { speed, language, seed, signal } = rest;
      const ids = await tokenIds(tokenizer, textIn(await legible(tidyText(text, { isTurbo })), language, languages));
      const speaker = reference
        ? await speakerOf(reference)
        : await speakerNamed(voice ?? [...recordings.keys()][0] ?? "");
      const read = await vectorsOf(graphs.table, { ids, exaggeration });
      const prompt = { heard: speaker.audio_features, read };
      const tokens = await write(loop, { prompt, sampling: { ...usual, temperature, seed }, signal });
      // The speed of the model is what it learned.
      return stretch(await makeSound(graphs.sound, tokens, speaker), speed);
    },
  };
};

/** One answer at a time, so that nothing is padded; nothing of one is of use to the next. */
async function loadLoop(
  assets: Assets,
  { text_config: { num_hidden_layers: layers } = {} }: Config,
): Promise<DecodeLoop> {
  const decoder = await loadDecoder(assets, { path: "onnx/language_model.onnx", layers });
  return createDecodeLoop({
    decoder,
    padding: undefined,
    prefixes: createPrefixes({ shape: decoder.kv, bytes: 0 }),
  });
}

function expectLong({ samples, rate }: Sound, seconds: number): void {
  if (samples.length >= seconds * rate) return;
  const msg = `The recording is too short to copy its voice: it must be at least ${seconds} s long`;
  throw new ForecourtError("invalid_input", `audio_url: ${msg}`, {
    problems: [{ loc: ["body", "audio_url"], msg, type: "audio_duration_too_short", ctx: { min_duration: seconds } }],
  });
}

async function listen(graph: Graph, { samples, rate }: Sound): Promise<Speaker> {
  const heard = resample({ samples: samples.subarray(0, HEARD_SECONDS * rate), rate }, RATE);
  const port = requirePort(graph.inputs, { names: ["audio_values"], of: "speech encoder" });
  const results = await graph.run({ [port.name]: tensorOf(port.dtype, [1, heard.length], heard) });
  return Object.fromEntries(HEARD.map((name) => [name, results[name] ?? lacking("speech encoder", name)])) as Speaker; // all were looked up
}

type Text = { ids: readonly number[]; exaggeration: number };

/** [1, ids, width]. Places as the card of the model counts them: of the text's own tokens, the marks around it have none. */
async function vectorsOf(table: Graph, { ids, exaggeration }: Text): Promise<Tensor> {
  const shape = [1, ids.length];
  const feeds: Record<string, Tensor> = { input_ids: tensorOf("int64", shape, ids) };
  for (const { name, dtype } of table.inputs) {
    if (name === "position_ids")
      feeds[name] = tensorOf(
        dtype,
        shape,
        ids.map((id, at) => (id >= START ? 0 : at - 1)),
      );
    if (name === "exaggeration") feeds[name] = tensorOf(dtype, [1], [exaggeration]);
  }
  const { inputs_embeds: vectors } = await table.run(feeds);
  return vectors ?? lacking("table of tokens", "inputs_embeds");
}

/** Both [1, tokens, width]. */
type Prompt = { heard: Tensor; read: Tensor };

type Writing = {
  prompt: Prompt;
  sampling: Pick<Sampling, "minP" | "topP" | "topK" | "temperature" | "seed">;
  signal: AbortSignal;
};

/** Tokens of speech. Marks among them are not: the makers' code leaves them out too. */
async function write(loop: DecodeLoop, { prompt, sampling, signal }: Writing): Promise<number[]> {
  const none = { bias: new Map(), presence: 0, frequency: 0 };
  const sampler = createSampler({ ...none, repetition: 1.2, ...sampling }, [START]);
  const written: number[] = [];
  const next = (logits: Float32Array) => {
    const { token } = sampler.next(logits);
    if (token === STOP) return undefined;
    written.push(token);
    return written.length < MOST_TOKENS ? token : undefined;
  };
  await loop.run({ ...sequenceOf(prompt), next }, { signal });
  return written.filter((token) => token < START);
}

/** The prompt is vectors alone; tokens after it are told their own places, counted from 1. */
function sequenceOf({ heard, read }: Prompt): { prompt: number[]; beyond: Beyond } {
  const width = read.shape[2] ?? 1;
  const [before, after] = [toFloats(heard), toFloats(read)];
  const vectors = new Float32Array(before.length + after.length);
  vectors.set(before);
  vectors.set(after, before.length);
  const count = vectors.length / width;
  return {
    prompt: Array.from({ length: count }, (_, at) => BEYOND + at),
    beyond: {
      vector(token) {
        const at = token - BEYOND;
        return at < 0 ? undefined : vectors.subarray(at * width, (at + 1) * width);
      },
      place(index) {
        const at = Math.max(0, index - count + 1);
        return [at, at, at];
      },
    },
  };
}

async function makeSound(graph: Graph, written: readonly number[], speaker: Speaker): Promise<Float32Array> {
  const silence = new Array<number>(SILENT_TOKENS).fill(SILENCE);
  const tokens = [...toFloats(speaker.audio_tokens), ...written, ...silence];
  const given: Record<string, Tensor> = { ...speaker, speech_tokens: tensorOf("int64", [1, tokens.length], tokens) };
  const feeds: Record<string, Tensor> = {};
  for (const { name, dtype } of graph.inputs) {
    const tensor = given[name];
    if (!tensor) throw unusable(`the sound decoder wants "${name}", which is not known here`);
    // Graphs of one model may be of several precisions.
    feeds[name] = tensor.dtype === dtype ? tensor : tensorOf(dtype, tensor.shape, toFloats(tensor));
  }
  const { waveform } = await graph.run(feeds);
  return toFloats(waveform ?? lacking("sound decoder", "waveform"));
}

const lacking = (graph: string, output: string): never => {
  throw unusable(`the ${graph} gives no "${output}"`);
};
const unusable = (why: string) => new ForecourtError("runner_failed", `the model cannot be used: ${why}`);
