// Writes MP3 files; wraps wasm-media-encoders, the only file that imports it.
import { createMp3Encoder } from "wasm-media-encoders";
import { type Channels, resampleChannels } from "./channels.ts";
import { joinBytes } from "./join-bytes.ts";

/** Rates of layer III: of MPEG-1 and MPEG-2 (ISO/IEC 11172-3, 13818-3), and of what players know as 2.5. */
const RATES = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
/** LAME's V2: about 190 kbit/s for music, far less for speech; what players call transparent. */
const QUALITY = 2;

/** The rate becomes the next one that MP3 has. */
export async function encodeMp3(sound: Channels): Promise<Uint8Array> {
  const sampleRate = RATES.find((rate) => rate >= sound.rate) ?? 48_000;
  const channels = resampleChannels(sound, sampleRate);
  const [{ length } = new Float32Array()] = channels;
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate, channels: channels.length === 2 ? 2 : 1, vbrQuality: QUALITY });
  const pieces: Uint8Array[] = [];
  // The encoder's memory is used again at the next call.
  for (let at = 0; at < length; at += PIECE)
    pieces.push(encoder.encode(channels.map((samples) => samples.subarray(at, at + PIECE))).slice());
  pieces.push(encoder.finalize().slice());
  return joinBytes(pieces);
}

const PIECE = 65_536;
