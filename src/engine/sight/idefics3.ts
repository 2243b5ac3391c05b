// Idefics3 and SmolVLM: a picture is cut into square tiles, and seen whole beside them. As transformers' Idefics3Processor.
import { ForecourtError } from "../../core/errors.ts";
import type { Pixels } from "../../core/pipeline.ts";
import type { Pause } from "../pause.ts";
import { crop } from "../tensor/crop.ts";
import { resize } from "../tensor/resize.ts";
import { type PreprocessorConfig, planesOf } from "../vision/preprocess.ts";
import type { Look, Sight, SightConfig, SightParts } from "./look.ts";
import { floatsFor, seen } from "./tower.ts";

type Size = { width: number; height: number };

type Pictures = Omit<PreprocessorConfig, "size"> & {
  size?: { longest_edge?: number };
  max_image_size?: { longest_edge?: number };
  do_image_splitting?: boolean;
};

const MARK = "<image>";
const AROUND = "<fake_token_around_image>";
const WHOLE = "<global-img>";
/** Of the names of rows and columns, <row_6_col_6> is the last one that the models know. */
const MOST_PARTS = 6;
/** Idefics3ImageProcessor's defaults. */
const [LONGEST_EDGE, TILE_EDGE] = [4 * 364, 364];
const HALF = [0.5, 0.5, 0.5];
/** Pictures are never made larger than this. */
const MOST_EDGE = 4096;

export async function idefics3({ assets, config, tower }: SightParts): Promise<Sight> {
  const given = await assets.json<Pictures>("preprocessor_config.json");
  const edge = given.max_image_size?.longest_edge ?? TILE_EDGE;
  const longest = given.size?.longest_edge ?? LONGEST_EDGE;
  const vectors = vectorsOf(config);
  const { size: _, ...values }: Pictures = { image_mean: HALF, image_std: HALF, ...given };

  const piece = (tile: Pixels) => async () => {
    const feeds = {
      pixel_values: floatsFor(tower, [1, 1, 3, edge, edge], planesOf(tile, values)),
      // Tiles are whole: nothing of them is padding.
      pixel_attention_mask: {
        dtype: "bool" as const,
        shape: [1, 1, edge, edge],
        data: new Uint8Array(edge ** 2).fill(1),
      },
    };
    return await seen(tower, feeds, vectors);
  };

  return {
    mark: MARK,
    async look(pixels, detail, pause): Promise<Look> {
      const splits = (given.do_image_splitting ?? true) && detail !== "low";
      const large = given.do_resize === false ? pixels : await resizeTo(pixels, stretched(pixels, longest), pause);
      const { tiles, rows, columns } = await (splits ? tilesOf(large, edge, pause) : whole(large, edge, pause));
      return {
        text: textOf({ rows, columns, vectors }),
        vectors: tiles.length * vectors,
        pieces: tiles.map(piece),
      };
    },
  };
}

/** Of one tile, after neighbouring patches are joined. */
function vectorsOf({
  vision_config: { image_size: size, patch_size: patch } = {},
  scale_factor: factor = 2,
}: SightConfig) {
  if (size === undefined || patch === undefined)
    throw new ForecourtError("weights_missing", "config.json does not say how large the pictures and patches are");
  return Math.floor(Math.floor(size / patch) ** 2 / factor ** 2);
}

const resizeTo = (pixels: Pixels, size: Size, pause: Pause) => resize(pixels, { ...size, kernel: "lanczos3", pause });

/** The longer edge becomes `longest`; the shorter one is cut down to whole pixels and then made even. */
export function stretched({ width, height }: Size, longest: number): Size {
  const ratio = width / height;
  const even = (edge: number) => edge + (edge % 2);
  const size =
    width >= height
      ? { width: longest, height: even(Math.trunc(longest / ratio)) }
      : { width: even(Math.trunc(longest * ratio)), height: longest };
  return bounded({ width: Math.max(1, size.width), height: Math.max(1, size.height) });
}

function bounded({ width, height }: Size): Size {
  const ratio = width / height;
  if (width >= height && width > MOST_EDGE)
    return { width: MOST_EDGE, height: Math.max(1, Math.trunc(MOST_EDGE / ratio)) };
  if (height > width && height > MOST_EDGE)
    return { width: Math.max(1, Math.trunc(MOST_EDGE * ratio)), height: MOST_EDGE };
  return { width, height };
}

/** Both edges become multiples of a tile's, larger rather than smaller. */
function ofTiles({ width, height }: Size, edge: number): Size {
  const ratio = width / height;
  const up = (length: number) => Math.ceil(length / edge) * edge;
  if (width >= height) return { width: up(width), height: up(Math.trunc(up(width) / ratio)) };
  return { width: up(Math.trunc(up(height) * ratio)), height: up(height) };
}

type Tiles = { tiles: Pixels[]; rows: number; columns: number };

const whole = async (pixels: Pixels, edge: number, pause: Pause): Promise<Tiles> => ({
  tiles: [await resizeTo(pixels, { width: edge, height: edge }, pause)],
  ...{ rows: 0, columns: 0 },
});

/** Row by row, and the whole picture last. */
async function tilesOf(pixels: Pixels, edge: number, pause: Pause): Promise<Tiles> {
  const size = ofTiles(pixels, edge);
  const [rows, columns] = [size.height / edge, size.width / edge];
  const fitted = await resizeTo(pixels, size, pause);
  if (rows === 1 && columns === 1) return { tiles: [fitted], rows: 0, columns: 0 };
  if (Math.max(rows, columns) > MOST_PARTS)
    throw new ForecourtError(
      "weights_missing",
      `preprocessor_config.json cuts pictures into more than ${MOST_PARTS} rows or columns, which have no names`,
    );
  const tiles = Array.from({ length: rows * columns }, (_, at) =>
    crop(fitted, {
      ...{ left: (at % columns) * edge, top: Math.floor(at / columns) * edge },
      ...{ width: edge, height: edge },
    }),
  );
  return { tiles: [...tiles, ...(await whole(fitted, edge, pause)).tiles], rows, columns };
}

type Parts = { rows: number; columns: number; vectors: number };

function textOf({ rows, columns, vectors }: Parts): string {
  const marks = MARK.repeat(vectors);
  const all = `${AROUND}${WHOLE}${marks}${AROUND}`;
  if (rows === 0) return all;
  const row = (at: number) =>
    Array.from({ length: columns }, (_, column) => `${AROUND}<row_${at + 1}_col_${column + 1}>${marks}`).join("");
  const lines = Array.from({ length: rows }, (_, at) => `${row(at)}\n`);
  return `${lines.join("")}\n${all}`;
}
