// Resizes planes of numbers as torch.nn.functional.interpolate does without antialiasing: what comes out of a network.
type Size = { width: number; height: number };
export type Plane = Size & { values: Float32Array };

/** A point's neighbours along one edge, and what each of them weighs. */
type Reach = { from: number; weights: readonly number[] };

/** Convolution of cubics, a = -0.75 (torch, aten/src/ATen/native/UpSample.h). */
function cubic(distance: number): number {
  const [x, a] = [Math.abs(distance), -0.75];
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/** `align_corners=False`: middles of pixels lie on each other. */
function reachesOf(source: number, target: number, mode: "bilinear" | "bicubic"): Reach[] {
  const scale = source / target;
  return Array.from({ length: target }, (_, i) => {
    const exact = (i + 0.5) * scale - 0.5;
    const at = mode === "bilinear" ? Math.max(0, exact) : exact;
    const floor = Math.floor(at);
    const share = at - floor;
    if (mode === "bilinear") return { from: floor, weights: [1 - share, share] };
    return { from: floor - 1, weights: [-1, 0, 1, 2].map((step) => cubic(share - step)) };
  });
}

/** Beyond its edges a plane goes on with its last values. */
export function interpolate({ values, width, height }: Plane, target: Size, mode: "bilinear" | "bicubic"): Plane {
  const columns = reachesOf(width, target.width, mode);
  const rows = reachesOf(height, target.height, mode);
  const wide = new Float32Array(target.width * height);
  for (let y = 0; y < height; y++)
    for (const [x, { from, weights }] of columns.entries()) {
      let sum = 0;
      for (const [k, weight] of weights.entries())
        sum += weight * (values[y * width + Math.min(width - 1, Math.max(0, from + k))] ?? 0);
      wide[y * target.width + x] = sum;
    }
  const resized = new Float32Array(target.width * target.height);
  for (const [y, { from, weights }] of rows.entries())
    for (const [k, weight] of weights.entries()) {
      const row = Math.min(height - 1, Math.max(0, from + k)) * target.width;
      for (let x = 0; x < target.width; x++) {
        const to = y * target.width + x;
        resized[to] = (resized[to] ?? 0) + weight * (wide[row + x] ?? 0);
      }
    }
  return { ...target, values: resized };
}
