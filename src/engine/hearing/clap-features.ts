// What CLAP is shown of a sound, by the preprocessor_config.json of its repository, as ClapFeatureExtractor makes it.
import { ForecourtError } from "../../core/errors.ts";
import type { Pause } from "../pause.ts";
import { createLogMel, type LogMel } from "./log-mel.ts";
import { melFilters } from "./mel-filters.ts";

/** What is read of preprocessor_config.json; absent: the library's own. */
export type ClapConfig = {
  feature_size?: number;
  sampling_rate?: number;
  hop_length?: number;
  max_length_s?: number;
  fft_window_size?: number;
  frequency_min?: number;
  frequency_max?: number;
  truncation?: string;
  padding?: string;
};

export type ClapFeatures = {
  rate: number;
  /** Seconds that are heard at once; of longer sounds a part. */
  longest: number;
  /** [channels, frames, bands] of one sound: one channel, or four with fusion. */
  shape: readonly [number, number, number];
  /** `samples`: at least one, at `rate`. */
  of(samples: Float32Array, pause: Pause): Promise<Float32Array>;
};

const FUSED = 4;

/** Throws `misconfigured` for ways to cut or fill that are not known. */
export function clapFeatures(config: ClapConfig): ClapFeatures {
  const { sampling_rate: rate = 48_000, hop_length: hop = 480, max_length_s: longest = 10 } = config;
  const { fft_window_size: window = 1024, feature_size: bands = 64 } = config;
  const { frequency_min: lowest = 0, frequency_max: highest = 14_000 } = config;
  const isFused = isOneOf("truncation", config.truncation ?? "fusion", ["fusion", "rand_trunc"]) === "fusion";
  const padding = isOneOf("padding", config.padding ?? "repeatpad", ["repeatpad", "repeat", "pad"]);
  const scale = isFused ? "htk" : "slaney";
  const filters = melFilters(scale, { bands, bins: window / 2 + 1, rate, lowest, highest });
  const logMel = createLogMel({ window, hop, filters });
  const most = longest * rate;
  const frames = Math.floor(most / hop) + 1;
  return {
    rate,
    longest,
    shape: [isFused ? FUSED : 1, frames, bands],
    async of(samples, pause) {
      const isLong = samples.length > most;
      if (!isFused)
        return (await logMel(isLong ? middleOf(samples, most) : filled(samples, most, padding), pause)).values;
      const heard = await logMel(isLong ? samples : filled(samples, most, padding), pause);
      return heard.frames > frames ? fused(heard, frames) : joined(new Array<Float32Array>(FUSED).fill(heard.values));
    },
  };
}

function isOneOf<const Known extends string>(name: string, value: string, known: readonly Known[]): Known {
  const found = known.find((each) => each === value);
  if (found) return found;
  const all = known.join(", ");
  throw new ForecourtError("misconfigured", `preprocessor_config.json asks for the ${name} ${value}, known are ${all}`);
}

/** Where transformers takes a part by chance, the middle one: the same sound is always the same to the model. */
const middleOf = (samples: Float32Array, length: number) => {
  const from = Math.floor((samples.length - length) / 2);
  return samples.subarray(from, from + length);
};

function filled(samples: Float32Array, length: number, padding: "repeatpad" | "repeat" | "pad"): Float32Array {
  const whole = new Float32Array(length);
  const times = Math.floor(length / samples.length);
  const end = padding === "pad" ? samples.length : padding === "repeat" ? length : times * samples.length;
  for (let at = 0; at < end; at += samples.length)
    whole.set(samples.subarray(0, Math.min(samples.length, length - at)), at);
  return whole;
}

/** All of it made shorter, and parts of the beginning, the middle and the end. */
function fused({ values, frames: total, bands }: LogMel, frames: number): Float32Array {
  const starts = total - frames + 1;
  const part = (from: number) => values.subarray(from * bands, (from + frames) * bands);
  return joined([shortened({ values, frames: total, bands }, frames), ...thirdsOf(starts).map(part)]);
}

/** The middle of each third of 0, 1... count - 1, as numpy's array_split cuts it; 0 for an empty one. */
function thirdsOf(count: number): number[] {
  let from = 0;
  return [0, 1, 2].map((third) => {
    const size = Math.floor(count / 3) + (third < count % 3 ? 1 : 0);
    const middle = size === 0 ? 0 : from + Math.floor(size / 2);
    from += size;
    return middle;
  });
}

/** Along the time, between neighbours, as torch's bilinear interpolation without aligned corners. */
function shortened({ values, frames: total, bands }: LogMel, frames: number): Float32Array {
  const short = new Float32Array(frames * bands);
  for (let frame = 0; frame < frames; frame++) {
    const at = Math.max(0, ((frame + 0.5) * total) / frames - 0.5);
    const [before, after] = [Math.floor(at), Math.min(total - 1, Math.floor(at) + 1)];
    for (let band = 0; band < bands; band++) {
      const [a, b] = [values[before * bands + band] ?? 0, values[after * bands + band] ?? 0];
      short[frame * bands + band] = a + (b - a) * (at - before);
    }
  }
  return short;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const [{ length } = new Float32Array()] = parts;
  const all = new Float32Array(parts.length * length);
  for (const [i, part] of parts.entries()) all.set(part, i * length);
  return all;
}
