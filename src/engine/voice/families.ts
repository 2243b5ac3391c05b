// Which code speaks with a model, by the `model_type` of its config.json.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { loadChatterbox } from "./chatterbox.ts";
import { kokoroVoices, loadKokoro } from "./kokoro.ts";
import { recordedVoices } from "./recordings.ts";
import { loadSpeechT5 } from "./speecht5.ts";
import { loadSupertone, loadSupertonic, SUPERTONE_CONFIG } from "./supertonic-layouts.ts";
import { loadVits } from "./vits.ts";
import type { LoadVoice, Voice, VoiceFiles } from "./voice.ts";
import { styleNames, voiceNames } from "./voice-files.ts";

type Config = Record<string, unknown>;
type Family = {
  load: LoadVoice;
  /** Empty: it has one, which needs no name. Undefined: it has none, but copies that of a recording. */
  voices(files: VoiceFiles, config: Config): readonly string[] | undefined;
};

const families: Record<string, Family> = {
  chatterbox: { load: loadChatterbox, voices: recordedNames },
  speecht5: { load: loadSpeechT5, voices: voiceNames },
  style_text_to_speech_2: { load: loadKokoro, voices: kokoroVoices },
  supertonic: { load: loadSupertonic, voices: voiceNames },
  vits: { load: loadVits, voices: (_, { num_speakers: speakers = 1 }) => numbered(Number(speakers)) },
};

function recordedNames(files: VoiceFiles): readonly string[] | undefined {
  const names = [...recordedVoices(files).keys()];
  return names.length > 0 ? names : undefined;
}

const numbered = (speakers: number) => Array.from({ length: speakers > 1 ? speakers : 0 }, (_, at) => String(at));

/** By the files alone, without opening a graph: as `Family.voices`. Throws as `loadVoice` does. */
export async function voicesIn(files: VoiceFiles): Promise<readonly string[] | undefined> {
  if (files.has(SUPERTONE_CONFIG)) return styleNames(files);
  const { family, config } = await familyOf(files);
  return family.voices(files, config);
}

export async function loadVoice(assets: Assets): Promise<Voice> {
  // Its config.json, where there is one, says nothing of the model.
  if (assets.has(SUPERTONE_CONFIG)) return await loadSupertone(assets);
  const { family, config } = await familyOf(assets);
  return await family.load(assets, config);
}

async function familyOf(files: VoiceFiles): Promise<{ family: Family; config: Config }> {
  const config = await files.json<Config>("config.json");
  const family = families[String(config.model_type)];
  if (family) return { family, config };
  const known = Object.keys(families).join(", ");
  throw new ForecourtError(
    "misconfigured",
    `config.json names the model type ${config.model_type}; speak knows ${known}`,
  );
}
