// fal's endpoints of Kokoro, one for each language (fal-protocol.md 12); Japanese and Mandarin are not read here.
import type { FalEndpoint } from "../fal-endpoint.ts";

/** Of hexgrad/Kokoro-82M. */
const VOICES = {
  "american-english": [
    ...["af_heart", "af_alloy", "af_aoede", "af_bella", "af_jessica", "af_kore", "af_nicole", "af_nova", "af_river"],
    ...["af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael", "am_onyx"],
    ...["am_puck", "am_santa"],
  ],
  "british-english": [
    ...["bf_alice", "bf_emma", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_george", "bm_lewis"],
  ],
  french: ["ff_siwis"],
  hindi: ["hf_alpha", "hf_beta", "hm_omega", "hm_psi"],
  italian: ["if_sara", "im_nicola"],
  spanish: ["ef_dora", "em_alex", "em_santa"],
  "brazilian-portuguese": ["pf_dora", "pm_alex", "pm_santa"],
};

/** The first language has a voice of its own where none is named; the others want one. */
function endpointOf(language: string, values: string[]): FalEndpoint {
  const isFirst = language === "american-english";
  return {
    pipeline: "speak",
    inputs: {
      prompt: isFirst ? { default: "" } : { required: true },
      voice: { values, ...(isFirst ? { default: "af_heart" } : { required: true }) },
      speed: { default: 1, minimum: 0.1, maximum: 5 },
    },
    fixed: { output_format: "wav" },
    outputs: { audio: {} },
  };
}

export const kokoro: Record<string, FalEndpoint> = Object.fromEntries(
  Object.entries(VOICES).map(([language, voices]) => [`fal-ai/kokoro/${language}`, endpointOf(language, voices)]),
);
