// Voices and listeners: their layouts on the Hub.
import { expect, test } from "bun:test";
import { recognise } from "../../../../src/control/catalog/add/recognise.ts";
import { failureOf } from "../../weights/setting.ts";
import { everywhere, repositoryOf } from "./repository-of.ts";

const words = { "config.json": 0.001, "tokenizer.json": 0.1, "tokenizer_config.json": 0.01, "README.md": 0.01 };
const pathsOf = ({ files }: { files: readonly { path: string }[] }) => files.map(({ path }) => path);

test("VITS is one graph", () => {
  const draft = recognise(
    repositoryOf("Xenova/mms-tts-eng", { model_type: "vits" }, { ...words, "onnx/model.onnx": 114 }),
  );
  expect(draft.model).toMatchObject({ pipeline: "speak", category: "text-to-speech", price: { unit: "second" } });
  expect(pathsOf(draft)).toEqual(["config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model.onnx"]);
});

const parts = {
  "onnx/encoder_model.onnx": 343,
  "onnx/decoder_model_merged.onnx": 244,
  "onnx/decoder_postnet_and_vocoder.onnx": 55,
};
const speechT5 = (tree: Record<string, number>) =>
  repositoryOf("Xenova/speecht5_tts", { model_type: "speecht5" }, { ...words, ...tree });

test("SpeechT5 needs its vocoder, and says when it has no voices", async () => {
  const draft = recognise(speechT5(parts));
  expect(draft.model.pipeline).toBe("speak");
  expect(pathsOf(draft)).toEqual(expect.arrayContaining(Object.keys(parts)));
  expect(draft.unsure.join(" ")).toContain("voices/NAME.bin");
  const voiced = recognise(speechT5({ ...parts, "voices/warm.bin": 0.002 }));
  expect(voiced.unsure.join(" ")).not.toContain("voices/NAME.bin");
  expect(pathsOf(voiced)).toContain("voices/warm.bin");
  const { "onnx/decoder_postnet_and_vocoder.onnx": _, ...silent } = parts;
  const failure = await failureOf((async () => recognise(speechT5(silent)))());
  expect(failure.message).toContain("decoder_postnet_and_vocoder.onnx");
});

test("Whisper listens, in the precision that is wished for", () => {
  const tree = {
    ...{ ...words, "generation_config.json": 0.01, "preprocessor_config.json": 0.01 },
    ...{ "onnx/encoder_model.onnx": 82, "onnx/encoder_model_q4.onnx": 20 },
    ...{ "onnx/decoder_model_merged.onnx": 208, "onnx/decoder_model_merged_q4.onnx": 120 },
  };
  const repository = repositoryOf("onnx-community/whisper-base", { model_type: "whisper" }, tree);
  const draft = recognise(repository, { dtypes: everywhere("q4") });
  expect(draft.model).toMatchObject({
    pipeline: "transcribe",
    graphs: { "onnx/decoder_model_merged.onnx": "onnx/decoder_model_merged_q4.onnx" },
  });
  expect(pathsOf(draft)).toContain("generation_config.json");
  expect(draft.unsure.join(" ")).toContain("_timestamped");
});

test("Kokoro brings its voices, and says what must be installed", async () => {
  const tree = { ...words, "onnx/model.onnx": 326, "onnx/model_quantized.onnx": 92 };
  const kokoro = (voices: Record<string, number>) =>
    repositoryOf("onnx-community/Kokoro-82M", { model_type: "style_text_to_speech_2" }, { ...tree, ...voices });
  const draft = recognise(kokoro({ "voices/af_heart.bin": 0.5, "voices/bf_emma.bin": 0.5 }), {
    dtypes: everywhere("q8"),
  });
  expect(draft.model).toMatchObject({
    pipeline: "speak",
    graphs: { "onnx/model.onnx": "onnx/model_quantized.onnx" },
  });
  expect(pathsOf(draft)).toEqual(expect.arrayContaining(["voices/af_heart.bin", "voices/bf_emma.bin"]));
  expect(draft.unsure.join(" ")).toContain("apt install espeak-ng");
  const failure = await failureOf((async () => recognise(kokoro({})))());
  expect(failure.message).toContain("voices/af_heart.bin");
});

test("Chatterbox brings its voice, with the language model in the precision that is wished for", () => {
  const tree = {
    ...{ ...words, "default_voice.wav": 0.5, "onnx/embed_tokens.onnx": 0.01, "onnx/embed_tokens.onnx_data": 68 },
    ...{ "onnx/speech_encoder.onnx": 1, "onnx/speech_encoder.onnx_data": 591 },
    ...{ "onnx/conditional_decoder.onnx": 6, "onnx/conditional_decoder.onnx_data": 534 },
    ...{ "onnx/language_model.onnx": 0.2, "onnx/language_model.onnx_data": 2080 },
    ...{ "onnx/language_model_q4.onnx": 0.2, "onnx/language_model_q4.onnx_data": 354 },
  };
  const chatterbox = (files: Record<string, number>) =>
    recognise(repositoryOf("onnx-community/chatterbox-ONNX", { model_type: "chatterbox" }, files), {
      dtypes: everywhere("q4"),
    });
  const draft = chatterbox(tree);
  expect(draft.model).toMatchObject({ pipeline: "speak", licence: { id: "mit", commercial: true } });
  expect(draft.model.graphs).toEqual({ "onnx/language_model.onnx": "onnx/language_model_q4.onnx" });
  const needed = ["default_voice.wav", "onnx/language_model_q4.onnx_data", "onnx/speech_encoder.onnx_data"];
  expect(pathsOf(draft)).toEqual(expect.arrayContaining(needed));
  expect(pathsOf(draft)).not.toContain("onnx/language_model.onnx_data");
  expect(draft.unsure.join(" ")).not.toContain("audio_url");
  const { "default_voice.wav": _, ...mute } = tree;
  const turbo = chatterbox({ ...mute, "onnx/speech_encoder_q4.onnx": 0.2, "onnx/speech_encoder_q4.onnx_data": 170 });
  expect(turbo.unsure.join(" ")).toContain("audio_url");
  expect(pathsOf(turbo)).toContain("onnx/speech_encoder_q4.onnx_data");
});

test("Supertonic in transformers.js' layout brings its voices", async () => {
  const graphs = Object.fromEntries(
    ["text_encoder", "latent_denoiser", "voice_decoder"].flatMap((name) => [
      [`onnx/${name}.onnx`, 0.2],
      [`onnx/${name}.onnx_data`, 90],
    ]),
  );
  const repository = (voices: Record<string, number>) =>
    repositoryOf(
      "onnx-community/Supertonic-TTS-2-ONNX",
      { model_type: "supertonic" },
      { ...words, ...graphs, ...voices },
    );
  const draft = recognise(repository({ "voices/F1.bin": 0.05, "voices/M1.bin": 0.05 }));
  expect(draft.model).toMatchObject({ pipeline: "speak", category: "text-to-speech", price: { unit: "second" } });
  expect(pathsOf(draft).sort()).toEqual([
    ...["config.json", ...Object.keys(graphs), "tokenizer.json", "tokenizer_config.json"].sort(),
    ...["voices/F1.bin", "voices/M1.bin"],
  ]);
  expect((await failureOf((async () => recognise(repository({})))())).message).toContain("voices/F1.bin");
});

test("Supertonic in Supertone's own layout is known by its files", async () => {
  const tree = {
    ...{ "config.json": 0.001, "README.md": 0.01, "onnx/tts.json": 0.01, "onnx/unicode_indexer.json": 0.3 },
    ...{ "onnx/duration_predictor.onnx": 3.7, "onnx/text_encoder.onnx": 36 },
    ...{ "onnx/vector_estimator.onnx": 257, "onnx/vocoder.onnx": 101, "onnx/tts.yml": 0.01 },
  };
  const styles = { "voice_styles/F1.json": 0.3, "voice_styles/M1.json": 0.3 };
  const named = repositoryOf("Supertone/supertonic-3", { model_type: "onnx" }, { ...tree, ...styles });
  const repository = { ...named, licence: "openrail" };
  const draft = recognise(repository);
  expect(draft.model).toMatchObject({
    ...{ id: "supertone/supertonic-3", pipeline: "speak", category: "text-to-speech" },
    licence: { id: "openrail", commercial: true },
  });
  const { "config.json": _, "README.md": __, "onnx/tts.yml": ___, ...needed } = { ...tree, ...styles };
  expect(pathsOf(draft).sort()).toEqual(Object.keys(needed).sort());
  expect(recognise({ ...repository, configs: {} }).model).toMatchObject({ pipeline: "speak" });
  const mute = async () => recognise(repositoryOf("Supertone/supertonic-3", {}, tree));
  expect((await failureOf(mute())).message).toContain("voice_styles/F1.json");
});
