// Pictures of unfinished latents, almost for free: a linear map from a latent's channels to a colour, learned from what the
// model's own decoder made of finished latents. Autoencoders of diffusion models are close to linear in that way.
import { invariant } from "../../core/errors.ts";
import type { Pixels } from "../../core/pipeline.ts";
import { resize } from "../tensor/resize.ts";
import { solveSymmetric } from "../tensor/solve.ts";
import type { LatentPicture } from "./tokens.ts";

export type Previewer = {
  /** `picture` is what the decoder made of these latents. */
  learn(given: LatentPicture, picture: Pixels): Promise<void>;
  /** Was enough learned? */
  knows(): boolean;
  /** One pixel for each latent. Not to be asked before something was learned. */
  preview(given: LatentPicture): Pixels;
};

/** More change little: the map has a few dozen numbers, and each picture brings hundreds of examples. */
const PICTURES_LEARNED = 64;
/** Fewer do not show all colours. */
const PICTURES_NEEDED = 4;
/** Keeps the equations solvable where a picture is all of one colour; small beside hundreds of latents of unit size. */
const RIDGE = 1e-2;

export function createPreviewer(): Previewer {
  let sums: Sums | undefined;
  let learned = 0;
  let map: Float64Array[] | undefined;
  return {
    async learn(given, picture) {
      if (learned >= PICTURES_LEARNED) return;
      sums ??= emptySums(given.channels);
      addExamples(sums, given, await resize(picture, { width: given.width, height: given.height, kernel: "bilinear" }));
      map = undefined;
      learned++;
    },
    knows: () => learned >= PICTURES_NEEDED,
    preview(given) {
      invariant(sums, "a preview is asked of who has learned");
      map ??= solve(sums);
      return paint(given, map);
    },
  };
}

/** Normal equations of least squares: of each latent its channels and a one, of each pixel its three colours. */
type Sums = { size: number; squares: Float64Array; products: Float64Array[] };

function emptySums(channels: number): Sums {
  const size = channels + 1;
  return { size, squares: new Float64Array(size * size), products: COLOURS.map(() => new Float64Array(size)) };
}

const COLOURS = [0, 1, 2] as const;

function addExamples({ size, squares, products }: Sums, given: LatentPicture, pixels: Pixels): void {
  const example = new Float64Array(size);
  for (let at = 0; at < given.width * given.height; at++) {
    readExample(given, at, example);
    for (let row = 0; row < size; row++) {
      const value = example[row] ?? 0;
      for (let column = 0; column < size; column++)
        squares[row * size + column] = (squares[row * size + column] ?? 0) + value * (example[column] ?? 0);
      for (const colour of COLOURS) {
        const sum = products[colour];
        if (sum) sum[row] = (sum[row] ?? 0) + value * (pixels.data[at * pixels.channels + colour] ?? 0);
      }
    }
  }
}

function readExample({ latents, channels, width, height }: LatentPicture, at: number, into: Float64Array): void {
  for (let channel = 0; channel < channels; channel++) into[channel] = latents[channel * width * height + at] ?? 0;
  into[channels] = 1;
}

function solve({ size, squares, products }: Sums): Float64Array[] {
  const ridged = squares.slice();
  for (let at = 0; at < size; at++) ridged[at * size + at] = (ridged[at * size + at] ?? 0) + RIDGE;
  return products.map((product) => solveSymmetric(ridged, product));
}

/** Noise makes unfinished latents larger than finished ones, up to tens of times in some samplers: brought back to size. */
export function calmed(given: LatentPicture): LatentPicture {
  const { latents } = given;
  const deviation = Math.sqrt(latents.reduce((sum, value) => sum + value * value, 0) / latents.length);
  return deviation > 1 ? { ...given, latents: latents.map((value) => value / deviation) } : given;
}

function paint(given: LatentPicture, map: Float64Array[]): Pixels {
  const { width, height, channels } = given;
  const data = new Uint8Array(width * height * 3);
  const example = new Float64Array(channels + 1);
  for (let at = 0; at < width * height; at++) {
    readExample(given, at, example);
    for (const colour of COLOURS) {
      const value = example.reduce((sum, each, i) => sum + each * (map[colour]?.[i] ?? 0), 0);
      data[at * 3 + colour] = Math.min(255, Math.max(0, Math.round(value)));
    }
  }
  return { data, width, height, channels: 3 };
}
