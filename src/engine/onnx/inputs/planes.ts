// Pixels as a graph's numbers: colours in the wanted order and range, plane by plane or pixel by pixel.
import type { Pixels } from "../../../core/pipeline.ts";
import { choice } from "../../../core/schema.ts";

export const channelsField = choice(["rgb", "bgr", "grey"], {
  default: "rgb",
  description: "grey is the brightness alone (ITU-R 601), which is also the Y of YCbCr; transparency is always dropped",
});

export type Channels = "rgb" | "bgr" | "grey";

type Wanted = {
  channels: Channels;
  layout: "nchw" | "nhwc";
  scale: number;
  mean: readonly number[];
  deviation: readonly number[];
};

/** (value · scale - mean) / deviation for each channel. */
export function toPlanes(pixels: Pixels, wanted: Wanted): { values: Float32Array; channels: number } {
  const area = pixels.width * pixels.height;
  const channels = wanted.channels === "grey" ? 1 : 3;
  const values = new Float32Array(area * channels);
  const [pixelStep, channelStep] = wanted.layout === "nchw" ? [1, area] : [channels, 1];
  for (let channel = 0; channel < channels; channel++) {
    const read = reader(
      pixels,
      wanted.channels === "grey" ? "grey" : wanted.channels === "bgr" ? 2 - channel : channel,
    );
    const mean = wanted.mean[channel] ?? wanted.mean[0] ?? 0;
    const deviation = wanted.deviation[channel] ?? wanted.deviation[0] ?? 1;
    for (let i = 0; i < area; i++)
      values[channel * channelStep + i * pixelStep] = (read(i) * wanted.scale - mean) / deviation;
  }
  return { values, channels };
}

/** The value of a channel (0 = red) or the brightness of pixel i. */
function reader({ data, channels }: Pixels, what: number | "grey"): (i: number) => number {
  if (channels === 1) return (i) => data[i] ?? 0;
  if (what !== "grey") return (i) => data[i * channels + what] ?? 0;
  return (i) => brightness(data, i * channels);
}

/** ITU-R 601, as Pillow's and OpenCV's greyscale and the Y of JPEG. */
export const brightness = (data: Uint8Array, at: number) =>
  0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
