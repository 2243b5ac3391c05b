// fal's endpoints that write down what is said (fal-protocol.md 12).
import type { FalEndpoint } from "../fal-endpoint.ts";
import type { Fields } from "./fields.ts";

const recording: Fields = { audio_url: {}, task: {}, language: {} };
const version: Fields = {
  version: { accepted: "string", values: ["3"], default: "3", description: "The weights are this model's." },
};

const whisper: FalEndpoint = {
  pipeline: "transcribe",
  inputs: {
    ...recording,
    diarize: { accepted: "boolean", default: false, refusal: "Speakers are not told apart here: send false" },
    chunk_level: {},
    ...version,
    batch_size: { accepted: "integer", minimum: 1, maximum: 64, default: 64 },
    prompt: {},
    num_speakers: { accepted: "integer", minimum: 1, description: "Counts with diarize alone." },
  },
  outputs: { text: {}, chunks: {}, inferred_languages: {}, diarization_segments: {} },
};

const wizper: FalEndpoint = {
  pipeline: "transcribe",
  inputs: {
    ...recording,
    language: { default: "en" },
    chunk_level: { values: ["segment"], default: "segment" },
    max_segment_len: {
      accepted: "integer",
      minimum: 10,
      maximum: 29,
      default: 29,
      refusal: "Segments end where sentences do: leave max_segment_len at 29",
    },
    merge_chunks: { accepted: "boolean", default: true },
    ...version,
  },
  outputs: { text: {}, chunks: {}, languages: {} },
};

const speechToText: FalEndpoint = {
  pipeline: "transcribe",
  inputs: {
    audio_url: {},
    use_pnc: {
      accepted: "boolean",
      default: true,
      refusal: "Punctuation and capitals are always written: send true",
    },
  },
  outputs: { output: {} },
};

export const speech: Record<string, FalEndpoint> = {
  "fal-ai/whisper": whisper,
  "fal-ai/wizper": wizper,
  "fal-ai/speech-to-text": speechToText,
};
