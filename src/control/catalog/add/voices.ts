// Voices in transformers.js' layout: VITS, SpeechT5, Kokoro and Chatterbox. models.md 3.6.
import { type Family, type Finding, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickLanguageGraphs } from "./language.ts";
import { graphsIn, pickGraph } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

/** Activations of a sentence of some hundred letters, rounded up. */
const WORKING_BYTES = 500e6;

const graphsOf = (repository: Repository, paths: readonly string[], wishes: Parameters<Family>[1]) =>
  Object.fromEntries(paths.map((graph) => [graph, pickGraph(repository, { graph, ...wishes })]));

function voiceFinding(repository: Repository, graphs: Finding["graphs"]): Finding {
  return {
    pipeline: "speak",
    category: "text-to-speech",
    description: "Reads a text aloud",
    graphs,
    files: [
      ...requireFiles(repository, ["config.json"]),
      ...tokenizerFiles(repository, ""),
      ...Object.values(graphs).flatMap(({ files }) => files),
      ...voiceFiles(repository),
    ],
    defaults: {},
    working: WORKING_BYTES,
    unit: "second",
    unsure: [],
  };
}

const voiceFiles = ({ files }: Repository) =>
  files.map(({ path }) => path).filter((path) => /^voices\/[^/]+\.(bin|npy)$/.test(path));

export const vits: Family = (repository, wishes) =>
  voiceFinding(repository, graphsOf(repository, ["onnx/model.onnx"], wishes));

export const speechT5: Family = (repository, wishes) => {
  const names = ["encoder_model", "decoder_model_merged", "decoder_postnet_and_vocoder"];
  const paths = names.map((name) => `onnx/${name}.onnx`);
  const finding = voiceFinding(repository, graphsOf(repository, paths, wishes));
  return {
    ...finding,
    files: [...finding.files, ...present(repository, ["generation_config.json"])],
    unsure:
      voiceFiles(repository).length > 0
        ? []
        : [
            "It brings no voices and cannot speak without one: put speaker embeddings (x-vectors, config.json's speaker_embedding_dim float32 numbers) into a copy of its files as voices/NAME.bin or voices/NAME.npy, and name that folder as its source's path.",
          ],
  };
};

export const kokoro: Family = (repository, wishes) => {
  const finding = voiceFinding(repository, graphsOf(repository, ["onnx/model.onnx"], wishes));
  const voices = voiceFiles(repository);
  if (voices.length === 0) requireFiles(repository, ["voices/af_heart.bin"]);
  return {
    ...finding,
    unsure: [
      "It speaks by phonemes, which the program espeak-ng finds: it must be installed on this box (apt install espeak-ng).",
      "For fal's endpoints of Kokoro add them to its aliases: fal-ai/kokoro/american-english and so on.",
    ],
  };
};

/** Activations of the sound decoder for some ten seconds, and of the language model. */
const CHATTERBOX_WORKING_BYTES = 1.5e9;

/** The language model as others of its kind; repositories have the other graphs in few dtypes. */
export const chatterbox: Family = (repository, wishes) => {
  const { dtype, ...otherwise } = wishes;
  const others = ["speech_encoder", "embed_tokens", "conditional_decoder"].map((name) => {
    const path = `onnx/${name}.onnx`;
    const isThere = dtype !== undefined && graphsIn(repository, [path], [dtype]).length > 0;
    return graphsOf(repository, [path], isThere ? wishes : otherwise);
  });
  const written = pickLanguageGraphs(repository, ["onnx/language_model.onnx"], wishes);
  const finding = voiceFinding(repository, Object.assign({}, written, ...others));
  const recordings = repository.files
    .map(({ path }) => path)
    .filter((path) => path === "default_voice.wav" || /^voices\/[^/]+\.(wav|flac|mp3|ogg)$/i.test(path));
  const mute =
    "It has no voice of its own: each request needs audio_url, unless recordings lie in a copy of its files as voices/NAME.wav, which its source's path names.";
  return {
    ...finding,
    description: "Reads a text aloud in the voice of a recording",
    files: [...finding.files, ...recordings],
    working: CHATTERBOX_WORKING_BYTES,
    unsure: [
      ...(recordings.length > 0 ? [] : [mute]),
      "For fal's endpoints of Chatterbox add the one that it is to its aliases: fal-ai/chatterbox/text-to-speech, or this with /turbo or /multilingual behind it.",
    ],
  };
};
