// fal's endpoints of Chatterbox, by Resemble AI. Sources: the endpoints' pages at fal.ai (llms.txt and api).
import type { FalEndpoint } from "../fal-endpoint.ts";
import type { Fields } from "./fields.ts";

/** The graphs' table of tokens adds places to words: what is told of no words, which guidance compares with, is not to be had. */
const guidance: Fields[string] = {
  accepted: "number",
  default: 0.5,
  minimum: 0,
  maximum: 1,
  description: "Guidance. It changes nothing here: exports of the model have no way to compute it.",
};

const endpoint = (inputs: Fields): FalEndpoint => ({
  pipeline: "speak",
  inputs: { text: { required: true }, ...inputs, seed: {} },
  fixed: { output_format: "wav" },
  outputs: { audio: {} },
});

const LANGUAGES = [
  ...["english", "arabic", "danish", "german", "greek", "spanish", "finnish", "french", "hebrew", "hindi", "italian"],
  ...["japanese", "korean", "malay", "dutch", "norwegian", "polish", "portuguese", "russian", "swedish", "swahili"],
  "turkish",
];

export const chatterbox: Record<string, FalEndpoint> = {
  "fal-ai/chatterbox/text-to-speech": endpoint({
    audio_url: {},
    exaggeration: { default: 0.25, maximum: 1 },
    temperature: { default: 0.7, minimum: 0.05, maximum: 2 },
    cfg: guidance,
  }),
  "fal-ai/chatterbox/text-to-speech/turbo": endpoint({
    voice: {},
    audio_url: {},
    temperature: { default: 0.8, minimum: 0.05, maximum: 2 },
  }),
  // At fal `voice` may be the URL of a recording too: here that is audio_url, as in the other endpoints.
  "fal-ai/chatterbox/text-to-speech/multilingual": endpoint({
    voice: {
      input: "language",
      values: LANGUAGES,
      default: "english",
      description: "The text's language. The voice of a recording is copied from audio_url.",
    },
    audio_url: {},
    exaggeration: { default: 0.5, maximum: 2 },
    temperature: { default: 0.8, minimum: 0.05, maximum: 5 },
    cfg_scale: guidance,
  }),
  "resemble-ai/chatterboxhd/text-to-speech": endpoint({
    voice: {},
    audio_url: {},
    exaggeration: { default: 0.5 },
    temperature: { default: 0.8, minimum: 0.05 },
    cfg: guidance,
    high_quality_audio: {
      accepted: "boolean",
      default: false,
      refusal: "Speech has 24,000 samples a second here: send false",
    },
  }),
};
