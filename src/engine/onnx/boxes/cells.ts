// The places of a detector's grids, in the order of its candidates.
import type { Size } from "../view.ts";
import type { Grid } from "./declaration.ts";

/** In pixels of what the graph sees. */
export type Cell = { x: number; y: number; stride: number };

/** Row by row, the candidates of one cell side by side. */
export const cellsOf = (grids: readonly Grid[], { width, height }: Size): Cell[] =>
  grids.flatMap(({ stride, perCell, offset }) => {
    const columns = Math.ceil(width / stride);
    const cells = columns * Math.ceil(height / stride);
    return Array.from({ length: cells * perCell }, (_, i) => {
      const cell = Math.floor(i / perCell);
      return { x: ((cell % columns) + offset) * stride, y: (Math.floor(cell / columns) + offset) * stride, stride };
    });
  });
