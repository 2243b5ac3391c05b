// Changes the rate of a sound, without the mirrored tones that plain interpolation makes: windowed sinc (Hann), the pass band
// ending at half of the lower rate.
import { joinSounds } from "../media/join-sounds.ts";

type Sampled = { samples: Float32Array; rate: number };

/** Zero crossings of the sinc on each side; torchaudio's `lowpass_filter_width` is 6, more is steeper. */
const CROSSINGS = 16;

/** The same memory when the rate is right already. */
export function resample({ samples, rate }: Sampled, wanted: number): Float32Array {
  if (rate === wanted) return samples;
  const resampler = createResampler(rate, wanted);
  resampler.add(samples);
  return resampler.end();
}

/** Takes a sound piece by piece, so that as much of it is held as comes out. Rates are whole numbers. */
export type Resampler = {
  /** The samples are not to be written to any more. */
  add(samples: Float32Array): void;
  /** All of the sound at the wanted rate. */
  end(): Float32Array;
};

export function createResampler(rate: number, wanted: number): Resampler {
  if (rate === wanted) return createCollector();
  const filter = createFilter(rate, wanted);
  const done: Float32Array[] = [];
  let held: Float32Array = new Float32Array();
  // Places in the whole sound: of what is held, and of the next sample to come out.
  let [first, next] = [0, 0];
  const make = (count: number) => {
    if (count <= 0) return;
    done.push(filter.run(held, { first, next, count }));
    next += count;
  };
  return {
    add(samples) {
      held = held.length === 0 ? samples : joinSounds([held, samples], 0);
      make(filter.complete(first + held.length) - next);
      const over = Math.min(held.length, Math.max(0, filter.begin(next) - first));
      held = held.slice(over);
      first += over;
    },
    end() {
      make(Math.ceil(((first + held.length) * wanted) / rate) - next);
      return joinSounds(done, 0);
    },
  };
}

function createCollector(): Resampler {
  const pieces: Float32Array[] = [];
  return { add: (samples) => void pieces.push(samples), end: () => joinSounds(pieces, 0) };
}

/** Weights are computed once for each place between two samples where one can come out, unless there are too many of these. */
const LARGEST_TABLE = 2 ** 21;

type Run = { first: number; next: number; count: number };

function createFilter(rate: number, wanted: number) {
  const divisor = greatestDivisor(rate, wanted);
  const [phases, advance] = [wanted / divisor, rate / divisor];
  const scale = Math.min(1, wanted / rate);
  const reach = CROSSINGS / scale;
  const width = 2 * Math.ceil(reach) + 1;
  const isKept = phases * width <= LARGEST_TABLE;
  const table = new Float64Array(isKept ? phases * width : width);
  const known = new Uint8Array(isKept ? phases : 0);

  /** Where in the table the weights are, of samples from `ceil(reach)` before the one at or before the place. */
  function weightsOf(phase: number): number {
    const at = isKept ? phase * width : 0;
    if (known[phase] === 1) return at;
    for (let k = 0; k < width; k++) {
      const offset = k - Math.ceil(reach) - phase / phases;
      const distance = offset * scale;
      const window = Math.abs(offset) > reach ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * distance) / CROSSINGS);
      table[at + k] = window * sinc(distance);
    }
    const total = sumOf(table, at, at + width);
    for (let k = 0; k < width; k++) table[at + k] = (table[at + k] ?? 0) / total;
    if (isKept) known[phase] = 1;
    return at;
  }

  return {
    /** How many samples can come out of the first `length` ones as they will of all. */
    complete: (length: number) => Math.max(0, Math.floor(((length - Math.ceil(reach) - 1) * wanted) / rate)),
    /** The first sample that the one to come out next depends on. */
    begin: (next: number) => Math.max(0, Math.floor((next * advance) / phases) - Math.ceil(reach)),
    run(samples: Float32Array, { first, next, count }: Run): Float32Array {
      const made = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        const place = (next + i) * advance;
        const from = Math.floor(place / phases) - Math.ceil(reach) - first;
        const weights = weightsOf(place % phases);
        const [begin, end] = [Math.max(0, -from), Math.min(width, samples.length - from)];
        const sum = product({ weights: table, at: weights + begin }, samples.subarray(from + begin, from + end));
        // Near the ends part of the window has no samples.
        made[i] = begin === 0 && end === width ? sum : sum / sumOf(table, weights + begin, weights + end);
      }
      return made;
    },
  };
}

/** A loop of its own, which is compiled to twice the speed. */
function product({ weights, at }: { weights: Float64Array; at: number }, samples: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < samples.length; k++) sum += (weights[at + k] ?? 0) * (samples[k] ?? 0);
  return sum;
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let k = from; k < to; k++) sum += values[k] ?? 0;
  return sum;
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
