// Which code speaks with a model, by the `model_type` of its config.json.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { loadChatterbox } from "./chatterbox.ts";
import { loadKokoro } from "./kokoro.ts";
import { loadSpeechT5 } from "./speecht5.ts";
import { loadSupertone, loadSupertonic, SUPERTONE_CONFIG } from "./supertonic-layouts.ts";
import { loadVits } from "./vits.ts";
import type { LoadVoice, Voice } from "./voice.ts";

const families: Record<string, LoadVoice> = {
  chatterbox: loadChatterbox,
  speecht5: loadSpeechT5,
  style_text_to_speech_2: loadKokoro,
  supertonic: loadSupertonic,
  vits: loadVits,
};

export async function loadVoice(assets: Assets): Promise<Voice> {
  // Its config.json, where there is one, says nothing of the model.
  if (assets.has(SUPERTONE_CONFIG)) return await loadSupertone(assets);
  const config = await assets.json<Record<string, unknown>>("config.json");
  const load = families[String(config.model_type)];
  if (load) return await load(assets, config);
  const known = Object.keys(families).join(", ");
  throw new ForecourtError(
    "misconfigured",
    `config.json names the model type ${config.model_type}; speak knows ${known}`,
  );
}
