// Triangles that gather frequencies as an ear does: HTK's scale, or Slaney's with equal areas, as in librosa and torchaudio.

export type MelScale = "htk" | "slaney";

export type MelFilters = {
  bands: number;
  /** Of each band: the first frequency that it has a weight for, and the weights. */
  filters: { from: number; weights: Float64Array }[];
};

type Layout = {
  bands: number;
  /** Frequencies of the spectrum, from 0 to half of the rate. */
  bins: number;
  rate: number;
  /** Hertz. */
  lowest: number;
  highest: number;
};

/** Slaney's scale is linear up to here, then by equal ratios (Auditory Toolbox, 1998). */
const [BREAK_HERTZ, HERTZ_PER_MEL] = [1000, 200 / 3];
const [BREAK_MEL, LOG_STEP] = [BREAK_HERTZ / HERTZ_PER_MEL, Math.log(6.4) / 27];

const scales: Record<MelScale, { mel(hertz: number): number; hertz(mel: number): number }> = {
  htk: { mel: (hertz) => 2595 * Math.log10(1 + hertz / 700), hertz: (mel) => 700 * (10 ** (mel / 2595) - 1) },
  slaney: {
    mel: (hertz) =>
      hertz < BREAK_HERTZ ? hertz / HERTZ_PER_MEL : BREAK_MEL + Math.log(hertz / BREAK_HERTZ) / LOG_STEP,
    hertz: (mel) => (mel < BREAK_MEL ? mel * HERTZ_PER_MEL : BREAK_HERTZ * Math.exp(LOG_STEP * (mel - BREAK_MEL))),
  },
};

/** Slaney's triangles have equal areas, HTK's equal heights. */
export function melFilters(scale: MelScale, { bands, bins, rate, lowest, highest }: Layout): MelFilters {
  const { mel, hertz } = scales[scale];
  const [from, to] = [mel(lowest), mel(highest)];
  const corners = Array.from({ length: bands + 2 }, (_, i) => hertz(from + ((to - from) * i) / (bands + 1)));
  const frequencies = Array.from({ length: bins }, (_, i) => (Math.floor(rate / 2) * i) / (bins - 1));
  const filters = Array.from({ length: bands }, (_, band) => {
    const [left = 0, middle = 0, right = 0] = corners.slice(band, band + 3);
    const height = scale === "slaney" ? 2 / (right - left) : 1;
    const weights = frequencies.map((each) =>
      Math.max(0, height * Math.min((each - left) / (middle - left), (right - each) / (right - middle))),
    );
    const first = weights.findIndex((weight) => weight > 0);
    const last = weights.findLastIndex((weight) => weight > 0);
    return first < 0
      ? { from: 0, weights: new Float64Array() }
      : { from: first, weights: Float64Array.from(weights.slice(first, last + 1)) };
  });
  return { bands, filters };
}
