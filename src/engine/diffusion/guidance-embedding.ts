// The guidance scale as a vector, for models that were distilled with it (Meng et al., 2210.03142).
import type { Row } from "./condition.ts";

/** What diffusers multiplies the scale by. */
const UNIT = 1000;

/** Sines, then cosines of (scale - 1) · 1000 at falling frequencies; `width` is even. */
export function guidanceEmbedding(scale: number, width: number): Row {
  const half = width / 2;
  const data = new Float32Array(width);
  for (let i = 0; i < half; i++) {
    const angle = (scale - 1) * UNIT * Math.exp((-Math.log(10_000) * i) / (half - 1));
    data[i] = Math.sin(angle);
    data[half + i] = Math.cos(angle);
  }
  return { data, shape: [width] };
}
