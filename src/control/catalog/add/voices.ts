// Voices in transformers.js' layout (VITS, SpeechT5, Kokoro, Supertonic, Chatterbox) and Supertonic in its own. models.md 3.6.
import { type Family, type Finding, present, requireFiles, tokenizerFiles } from "./finding.ts";
import { pickLanguageGraphs } from "./language.ts";
import { graphsIn, hasGraph, pickGraphs } from "./pick-graph.ts";
import type { Repository } from "./repository.ts";

/** Activations of a sentence of some hundred letters, rounded up. */
const WORKING_BYTES = 500e6;

const findingOf = (graphs: Finding["graphs"]): Omit<Finding, "files"> => ({
  pipeline: "speak",
  category: "text-to-speech",
  description: "Reads a text aloud",
  graphs,
  defaults: {},
  working: WORKING_BYTES,
  unit: "second",
  unsure: [],
});

const voiceFinding = (repository: Repository, graphs: Finding["graphs"]): Finding => ({
  ...findingOf(graphs),
  files: [
    ...requireFiles(repository, ["config.json"]),
    ...tokenizerFiles(repository, ""),
    ...Object.values(graphs).flatMap(({ files }) => files),
    ...voiceFiles(repository),
  ],
});

const voiceFiles = ({ files }: Repository, pattern = /^voices\/[^/]+\.(bin|npy)$/) =>
  files.map(({ path }) => path).filter((path) => pattern.test(path));

export const vits: Family = (repository, wishes) =>
  voiceFinding(repository, pickGraphs(repository, ["onnx/model.onnx"], wishes));

export const speechT5: Family = (repository, wishes) => {
  const names = ["encoder_model", "decoder_model_merged", "decoder_postnet_and_vocoder"];
  const paths = names.map((name) => `onnx/${name}.onnx`);
  const finding = voiceFinding(repository, pickGraphs(repository, paths, wishes));
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
  const finding = voiceFinding(repository, pickGraphs(repository, ["onnx/model.onnx"], wishes));
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
    return pickGraphs(repository, [path], isThere ? wishes : otherwise);
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

export const supertonic: Family = (repository, wishes) => {
  const paths = ["text_encoder", "latent_denoiser", "voice_decoder"].map((name) => `onnx/${name}.onnx`);
  const finding = voiceFinding(repository, pickGraphs(repository, paths, wishes));
  if (voiceFiles(repository).length === 0) requireFiles(repository, ["voices/F1.bin"]);
  return finding;
};

const SUPERTONE_GRAPHS = ["duration_predictor", "text_encoder", "vector_estimator", "vocoder"].map(
  (name) => `onnx/${name}.onnx`,
);

/** Supertone's own repositories: a config.json, where there is one, says nothing of them. */
export const hasSupertone = (repository: Repository) =>
  SUPERTONE_GRAPHS.every((graph) => hasGraph(repository, graph)) && present(repository, ["onnx/tts.json"]).length > 0;

export const supertone: Family = (repository, wishes) => {
  const graphs = pickGraphs(repository, SUPERTONE_GRAPHS, wishes);
  const styles = voiceFiles(repository, /^voice_styles\/[^/]+\.json$/);
  return {
    ...findingOf(graphs),
    files: [
      ...requireFiles(repository, ["onnx/tts.json", "onnx/unicode_indexer.json"]),
      ...Object.values(graphs).flatMap(({ files }) => files),
      ...(styles.length > 0 ? styles : requireFiles(repository, ["voice_styles/F1.json"])),
    ],
  };
};
