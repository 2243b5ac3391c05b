// Kokoro: phonemes to sound in one graph, in voices that are files of numbers.
import { ForecourtError, invariant } from "../../core/errors.ts";
import { joinSounds } from "../media/join-sounds.ts";
import { cutText } from "../speech/sentences.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { chosenLanguage } from "./chosen-language.ts";
import { KOKORO_LANGUAGES, kokoroPhonemes } from "./kokoro-phonemes.ts";
import { englishText } from "./spoken-text.ts";
import { tokenIds } from "./token-ids.ts";
import type { LoadVoice, VoiceFiles } from "./voice.ts";
import { readOnce, readVoice, voiceNames } from "./voice-files.ts";

const RATE = 24_000;
/** Numbers in each row of a voice. */
const STYLE = 256;
/** Its longest input without the marks around it: a voice has a row for each length up to there. */
const LONGEST_PHONEMES = 510;
/** The voice that its makers use first. */
const USUAL = "af_heart";

export const kokoroVoices = (files: VoiceFiles) => speakable(voiceNames(files));

export const loadKokoro: LoadVoice = async (assets) => {
  const voices = kokoroVoices(assets);
  const tokenizer = await assets.transformers("AutoTokenizer");
  const graph = await assets.graph("onnx/model.onnx");
  const port = (name: string) => requirePort(graph.inputs, { names: [name], of: "Kokoro model" });
  const [input, style, speedPort] = [port("input_ids"), port("style"), port("speed")];
  const width = Number(style.shape[1]) || STYLE;
  const rowsOf = readOnce((voice) => readVoice(assets, voice, width));

  async function say(phonemes: string, { voice, speed }: { voice: string; speed: number }): Promise<Float32Array> {
    const ids = await tokenIds(tokenizer, phonemes);
    const rows = await rowsOf(voice);
    // As hexgrad's KPipeline.infer: the row for so many sounds, the marks at both ends not counted.
    const row = Math.min(Math.max(ids.length - 3, 0), rows.length / width - 1);
    const { waveform } = await graph.run({
      [input.name]: tensorOf(input.dtype, [1, ids.length], ids),
      [style.name]: tensorOf(style.dtype, [1, width], rows.slice(row * width, (row + 1) * width)),
      [speedPort.name]: tensorOf(speedPort.dtype, [1], [speed]),
    });
    invariant(waveform, "a Kokoro graph gives waveform");
    return toFloats(waveform);
  }

  return {
    rate: RATE,
    longest: 400,
    voices,
    takes: ["language"],
    async speak({ text, voice = voices[0] ?? "", speed, language, signal }) {
      const reader = languageOf(voice, language);
      const readable = reader.startsWith("en") ? englishText(text) : text;
      const phonemes = await kokoroPhonemes(readable, reader, assets.phonemes);
      const spoken: Float32Array[] = [];
      for (const part of cutText(phonemes, LONGEST_PHONEMES)) {
        signal.throwIfAborted();
        spoken.push(await say(part, { voice, speed }));
      }
      return joinSounds(spoken, 0);
    },
  };
};

/** The usual one first. Throws `weights_missing` where all of them speak languages that are not read here. */
function speakable(names: readonly string[]): string[] {
  const known = names.filter((name) => KOKORO_LANGUAGES[name.slice(0, 1)] !== undefined);
  if (known.length > 0) return known.sort((a, b) => Number(b === USUAL) - Number(a === USUAL));
  const message = `voices/ holds only ${names.join(", ")}: names of Kokoro's voices begin with ${Object.keys(KOKORO_LANGUAGES).join(", ")} for a language that is read here`;
  throw new ForecourtError("weights_missing", message, { details: { folder: "voices" } });
}

/** The voice's own, where the caller does not wish for another. Throws `invalid_input` for one that is not read here. */
function languageOf(voice: string, wanted: string | undefined): string {
  const own = KOKORO_LANGUAGES[voice.slice(0, 1)] ?? "en-us";
  return wanted === undefined ? own : chosenLanguage(wanted, [own, ...Object.values(KOKORO_LANGUAGES)]);
}
