// A scene as three planes of features, and what these say of a point in it: TripoSR's renderer without rays.
import type { Tensor } from "../../core/tensor.ts";
import { toFloats } from "../tensor/tensor.ts";

/** Half the edge of the cube in which the scene is. */
export const RADIUS = 0.87;

/** `values`: [plane, row, column, channel], so that a place's features lie side by side. */
export type Triplane = { values: Float32Array; channels: number; width: number; height: number };

/** From [1, 3, channels, height, width]. */
export function triplaneOf(tensor: Tensor): Triplane {
  const [channels = 0, height = 0, width = 0] = tensor.shape.slice(-3);
  const given = toFloats(tensor);
  const values = new Float32Array(given.length);
  const area = width * height;
  for (let plane = 0; plane < 3; plane++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < area; i++)
        values[(plane * area + i) * channels + c] = given[(plane * channels + c) * area + i] ?? 0;
  return { values, channels, width, height };
}

/** Which of x, y and z goes across each plane, and which down. */
const PLANES = [
  [0, 1],
  [0, 2],
  [1, 2],
] as const;

/**
 * The features of points x, y, z in [-RADIUS, RADIUS], those of the three planes one after the other, as
 * torch.nn.functional.grid_sample gives them (bilinear, zeros beyond, align_corners=False).
 */
export function featuresAt({ values, channels, width, height }: Triplane, points: Float32Array): Float32Array {
  const count = points.length / 3;
  const features = new Float32Array(count * 3 * channels);
  // Of the four texels around a point.
  const weights = new Float64Array(4);
  const starts = new Int32Array(4);
  const pixel = (value: number, size: number) => ((value / RADIUS + 1) * size - 1) / 2;
  for (let n = 0; n < count; n++)
    for (let plane = 0; plane < 3; plane++) {
      const [across, down] = PLANES[plane] ?? PLANES[0];
      const u = pixel(points[n * 3 + across] ?? 0, width);
      const v = pixel(points[n * 3 + down] ?? 0, height);
      for (let corner = 0; corner < 4; corner++) {
        const x = Math.floor(u) + (corner & 1);
        const y = Math.floor(v) + (corner >> 1);
        const isWithin = x >= 0 && y >= 0 && x < width && y < height;
        weights[corner] = isWithin ? (1 - Math.abs(u - x)) * (1 - Math.abs(v - y)) : 0;
        starts[corner] = isWithin ? ((plane * height + y) * width + x) * channels : 0;
      }
      // Each by itself: taken apart as lists, they take as long as the sum.
      const a = weights[0] ?? 0;
      const b = weights[1] ?? 0;
      const c = weights[2] ?? 0;
      const d = weights[3] ?? 0;
      const i = starts[0] ?? 0;
      const j = starts[1] ?? 0;
      const k = starts[2] ?? 0;
      const l = starts[3] ?? 0;
      const to = (n * 3 + plane) * channels;
      for (let at = 0; at < channels; at++)
        features[to + at] =
          a * (values[i + at] ?? 0) + b * (values[j + at] ?? 0) + c * (values[k + at] ?? 0) + d * (values[l + at] ?? 0);
    }
  return features;
}
