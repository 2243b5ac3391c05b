// Where heat maps are hottest.
import type { Tensor } from "../../core/tensor.ts";
import { toFloats } from "../tensor/tensor.ts";

/** Shares of the map's edges. */
export type Peak = { x: number; y: number; score: number };

/** [points, height, width], a batch of 1 before it or not. The peak leans a quarter of a cell to its higher neighbour, as in SimpleBaseline. */
export function peaksOf(tensor: Tensor): Peak[] {
  const [points = 1, height = 1, width = 1] = tensor.shape.slice(-3);
  const values = toFloats(tensor);
  return Array.from({ length: points }, (_, point) => {
    const map = values.subarray(point * height * width, (point + 1) * height * width);
    const best = map.reduce((best, value, i) => (value > (map[best] ?? 0) ? i : best), 0);
    const [x, y] = [best % width, Math.floor(best / width)];
    const lean = (before: number | undefined, after: number | undefined) =>
      before === undefined || after === undefined ? 0 : Math.sign(after - before) / 4;
    const across = x > 0 && x < width - 1 ? lean(map[best - 1], map[best + 1]) : 0;
    const down = y > 0 && y < height - 1 ? lean(map[best - width], map[best + width]) : 0;
    return { x: (x + across + 0.5) / width, y: (y + down + 0.5) / height, score: map[best] ?? 0 };
  });
}
