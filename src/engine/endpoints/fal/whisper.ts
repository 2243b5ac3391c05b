// fal's endpoints of Whisper (fal-protocol.md 12).
import type { FalEndpoint } from "../fal-endpoint.ts";
import type { Fields } from "./fields.ts";

const spoken: Fields = { audio_url: {}, task: {} };
/** They run the third version; here it is the model's own. */
const version: Fields = {
  version: { accepted: "string", values: ["3"], default: "3", description: "The weights are this model's." },
};

export const whisper: Record<string, FalEndpoint> = {
  "fal-ai/whisper": {
    pipeline: "transcribe",
    inputs: {
      ...spoken,
      language: {},
      diarize: {},
      chunk_level: {},
      ...version,
      batch_size: { accepted: "integer", minimum: 1, maximum: 64, default: 64, description: "Windows at a time." },
      prompt: {},
      num_speakers: {},
    },
    outputs: { text: {}, chunks: {}, inferred_languages: {}, diarization_segments: {} },
  },
  "fal-ai/wizper": {
    pipeline: "transcribe",
    inputs: {
      ...spoken,
      language: { default: "en" },
      chunk_level: { values: ["segment"], default: "segment" },
      max_segment_len: { default: 29, minimum: 10, maximum: 29 },
      merge_chunks: { default: true },
      ...version,
    },
    outputs: { text: {}, chunks: {}, languages: {} },
  },
};
