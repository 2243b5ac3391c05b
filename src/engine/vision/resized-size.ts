// The size that a picture is resized to, as preprocessor_config.json says it: the ways of transformers' image processors.
type Size = { width: number; height: number };

export type Edge =
  | number
  | { height: number; width: number }
  | { shortest_edge: number; longest_edge?: number }
  | { longest_edge: number; shortest_edge?: undefined };

export type SizeConfig = {
  size?: Edge;
  /** Edges are cut down to multiples. */
  size_divisibility?: number;
  size_divisor?: number;
  /** DPT's: the picture keeps its shape, and its edges become the nearest multiples. */
  keep_aspect_ratio?: boolean;
  ensure_multiple_of?: number;
};

/**
 * A picture that is longer than this many times its other side is seen as less of it, or squashed: by its shorter side alone
 * one of 1 x 60,000 pixels would become 512 x 30,720,000. Panoramas are within it.
 */
const MOST_RATIO = 10;

export function resizedSize(picture: Size, config: SizeConfig): Size {
  const { size = { shortest_edge: 224 }, size_divisibility, size_divisor } = config;
  if (typeof size === "object" && "width" in size)
    return config.keep_aspect_ratio ? nearest(picture, size, config) : { width: size.width, height: size.height };
  const edges = typeof size === "number" ? { shortest_edge: size } : size;
  const free = edges.shortest_edge === undefined ? atMost(picture, edges.longest_edge) : byShortest(picture, edges);
  const divisor = size_divisibility ?? size_divisor ?? 1;
  const whole = (edge: number) => Math.max(1, Math.floor(edge / divisor)) * divisor;
  return { width: whole(free.width), height: whole(free.height) };
}

/** The longer edge is cut down to whole pixels; the shorter one gives way where the longer would be too long. */
function byShortest(
  { width, height }: Size,
  { shortest_edge, longest_edge = MOST_RATIO * shortest_edge }: { shortest_edge: number; longest_edge?: number },
): Size {
  const ratio = Math.max(width, height) / Math.min(width, height);
  const isTooLong = ratio * shortest_edge > longest_edge;
  const exact = isTooLong ? longest_edge / ratio : shortest_edge;
  const short = isTooLong ? roundHalfToEven(exact) : shortest_edge;
  const long = Math.floor(isTooLong ? exact * ratio : (short * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: short, height: long } : { width: long, height: short };
}

/** Smaller pictures stay as they are. */
function atMost({ width, height }: Size, longest: number): Size {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}

/** Of the two scales the one that changes less. */
function nearest({ width, height }: Size, wanted: Size, { ensure_multiple_of: multiple = 1 }: SizeConfig): Size {
  const [across, down] = [wanted.width / width, wanted.height / height];
  const least = Math.abs(1 - across) < Math.abs(1 - down) ? across : down;
  const scale = Math.min(least, Math.sqrt((MOST_RATIO * wanted.width * wanted.height) / (width * height)));
  const whole = (edge: number) => Math.max(1, roundHalfToEven((scale * edge) / multiple)) * multiple;
  return { width: whole(width), height: whole(height) };
}

/** As Python's `round`. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
