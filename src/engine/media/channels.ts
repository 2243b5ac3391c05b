// Sound of one channel or several, as what writes files takes it.
import { resample } from "../tensor/resample.ts";

/** One channel, values in [-1, 1]. */
export type Sound = { samples: Float32Array; rate: number };

/** One or two (left, right) of one length, values in [-1, 1]. */
export type Channels = { channels: readonly Float32Array[]; rate: number };

export const channelsOf = (sound: Sound | Channels): Channels =>
  "channels" in sound ? sound : { channels: [sound.samples], rate: sound.rate };

/** The same memory where the rate is already that one. */
export const resampleChannels = ({ channels, rate }: Channels, wanted: number): Float32Array[] =>
  channels.map((samples) => resample({ samples, rate }, wanted));

/** Left, right, left, right...; the only channel as it is. */
export function interleave(channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array()] = channels;
  if (channels.length === 1) return first;
  const all = new Float32Array(first.length * channels.length);
  for (const [at, samples] of channels.entries())
    for (let i = 0; i < samples.length; i++) all[i * channels.length + at] = samples[i] ?? 0;
  return all;
}
