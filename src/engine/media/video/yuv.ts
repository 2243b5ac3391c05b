// Between RGB and the brightness and colour planes of videos (4:2:0), in 8 bits, by fixed-point numbers.
import type { Pixels } from "../../../core/pipeline.ts";
import type { Size } from "../../diffusion/image-size.ts";

/** Shares of red and blue in brightness, as ITU-R BT.601, BT.709 and BT.2020 have them. */
const SHARES = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722], bt2020: [0.2627, 0.0593] } as const;
export type YuvMatrix = keyof typeof SHARES;

export type YuvColours = { matrix: YuvMatrix; isFullRange: boolean };

/** What videos that do not say are taken for: the usual line is drawn between SD and HD. */
export const usualMatrix = ({ width, height }: Size): YuvMatrix => (width >= 1280 || height > 576 ? "bt709" : "bt601");

/** The planes as a decoder gives them, each with a length of its rows of its own. */
export type YuvPlanes = Size & {
  planes: readonly [y: Uint8Array, u: Uint8Array, v: Uint8Array];
  strides: readonly [y: number, u: number, v: number];
};

const BITS = 16;
const ONE = 1 << BITS;
const fixed = (value: number) => Math.round(value * ONE);

/** Sides of a video must be even: an odd one gets its last row or column twice. */
export const evenSize = ({ width, height }: Size): Size => ({
  width: width + (width % 2),
  height: height + (height % 2),
});

/** BT.709 in limited range, the planes one after the other, into `into`, which holds 1.5 bytes of each pixel of the even size. */
export function toYuv({ data, width, height, channels }: Pixels, into: Uint8Array): void {
  const even = evenSize({ width, height });
  const [red, blue] = SHARES.bt709;
  const [y, u, v] = brightnessAndColour({ red, blue });
  const [uAt, vAt] = [even.width * even.height, (even.width * even.height * 5) / 4];
  const [green, third] = channels === 1 ? [0, 0] : [1, 2];
  for (let row = 0; row < even.height; row += 2) {
    for (let column = 0; column < even.width; column += 2) {
      let [r, g, b] = [0, 0, 0];
      for (let corner = 0; corner < 4; corner++) {
        const [atRow, atColumn] = [row + (corner >> 1), column + (corner & 1)];
        const from = (Math.min(atRow, height - 1) * width + Math.min(atColumn, width - 1)) * channels;
        const [cr, cg, cb] = [data[from] ?? 0, data[from + green] ?? 0, data[from + third] ?? 0];
        into[atRow * even.width + atColumn] = (y[0] * cr + y[1] * cg + y[2] * cb + y[3]) >> BITS;
        r += cr;
        g += cg;
        b += cb;
      }
      // The mean of four: two bits more.
      const at = (row / 2) * (even.width / 2) + column / 2;
      into[uAt + at] = (u[0] * r + u[1] * g + u[2] * b + u[3]) >> (BITS + 2);
      into[vAt + at] = (v[0] * r + v[1] * g + v[2] * b + v[3]) >> (BITS + 2);
    }
  }
}

/** Factors of red, green and blue, and what is added, a half for the rounding included. */
type Row = readonly [red: number, green: number, blue: number, added: number];

function brightnessAndColour({ red, blue }: { red: number; blue: number }): [Row, Row, Row] {
  const green = 1 - red - blue;
  const [toY, toC] = [219 / 255, 224 / 255];
  // Sums of four pixels: what is added counts four times.
  const c = (128 * ONE + ONE / 2) * 4;
  return [
    [fixed(red * toY), fixed(green * toY), fixed(blue * toY), 16 * ONE + ONE / 2],
    [fixed((-red / 2 / (1 - blue)) * toC), fixed((-green / 2 / (1 - blue)) * toC), fixed(toC / 2), c],
    [fixed(toC / 2), fixed((-green / 2 / (1 - red)) * toC), fixed((-blue / 2 / (1 - red)) * toC), c],
  ];
}

/** RGB; each pair of colour samples is that of its four pixels. */
export function fromYuv({ planes: [y, u, v], strides, width, height }: YuvPlanes, colours: YuvColours): Pixels {
  const [red, blue] = SHARES[colours.matrix];
  const green = 1 - red - blue;
  const [least, toY, toC] = colours.isFullRange ? [0, 1, 1] : [16, 255 / 219, 255 / 224];
  const scale = fixed(toY);
  const vToRed = fixed(2 * (1 - red) * toC);
  const uToBlue = fixed(2 * (1 - blue) * toC);
  const uToGreen = fixed(((2 * blue * (1 - blue)) / green) * toC);
  const vToGreen = fixed(((2 * red * (1 - red)) / green) * toC);
  const data = new Uint8ClampedArray(width * height * 3);
  let at = 0;
  for (let row = 0; row < height; row++) {
    const [yRow, uRow, vRow] = [row * strides[0], (row >> 1) * strides[1], (row >> 1) * strides[2]];
    for (let column = 0; column < width; column++) {
      const bright = ((y[yRow + column] ?? 0) - least) * scale + ONE / 2;
      const [cu, cv] = [(u[uRow + (column >> 1)] ?? 0) - 128, (v[vRow + (column >> 1)] ?? 0) - 128];
      data[at++] = (bright + vToRed * cv) >> BITS;
      data[at++] = (bright - uToGreen * cu - vToGreen * cv) >> BITS;
      data[at++] = (bright + uToBlue * cu) >> BITS;
    }
  }
  return { data: new Uint8Array(data.buffer), width, height, channels: 3 };
}
