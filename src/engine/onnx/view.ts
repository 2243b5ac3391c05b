// How a picture lies in what a graph sees of it: which size, which place, and the way back.
import { ForecourtError } from "../../core/errors.ts";
import type { Pixels } from "../../core/pipeline.ts";
import type { Tile } from "../tensor/tiles.ts";

export type Size = { width: number; height: number };
export type Box = { left: number; top: number; width: number; height: number };

/** `picture` is as it was given, `seen` the size that the graph sees at once. */
export type View = { picture: Pixels; seen: Size } & (
  | {
      by: "whole" /** Where the picture lies in what is seen; reaches beyond where the edges are cut away. */;
      content: Box;
    }
  | { by: "tiles"; tiles: readonly Tile[] /** Pixels that neighbours share. */; overlap: number }
);
export type WholeView = Extract<View, { by: "whole" }>;

/** For outputs that have places in the picture. Throws `misconfigured` where there is no picture or it came in tiles. */
export function wholeView(view: View | undefined, output: string): WholeView {
  if (view?.by === "whole") return view;
  throw notWhole(output);
}

export const notWhole = (output: string) =>
  new ForecourtError(
    "misconfigured",
    `onnx.outputs.${output} has places in a picture, so one of the inputs must be a picture without tiles`,
  );

export type Fit = "stretch" | "cover" | "contain" | "corner";

export type SizeWish = {
  width?: number;
  height?: number;
  /** Where the size is free: the longer edge is at most this, both are multiples. */
  longest?: number;
  multipleOf: number;
  fit: Fit;
};

/** `content` is in whole pixels: the size that the picture is resized to, and where it is put. */
export function place({ width, height }: Size, wish: SizeWish): { seen: Size; content: Box } {
  const seen = seenSize({ width, height }, wish);
  if (wish.fit === "stretch") return { seen, content: { left: 0, top: 0, ...seen } };
  const ratios = [seen.width / width, seen.height / height];
  const scale = wish.fit === "cover" ? Math.max(...ratios) : Math.min(...ratios, freeScale({ width, height }, wish));
  const size = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
  if (wish.fit === "corner") return { seen, content: { left: 0, top: 0, ...size } };
  const left = Math.floor((seen.width - size.width) / 2);
  return { seen, content: { left, top: Math.floor((seen.height - size.height) / 2), ...size } };
}

/** A picture of free size is only ever made smaller. */
const freeScale = ({ width, height }: Size, wish: SizeWish) =>
  wish.width === undefined && wish.height === undefined
    ? Math.min(1, (wish.longest ?? Infinity) / Math.max(width, height))
    : Infinity;

function seenSize(size: Size, wish: SizeWish): Size {
  const { width, height, multipleOf, fit } = wish;
  const scale = Math.min(freeScale(size, wish), 1);
  const round = fit === "stretch" ? Math.round : Math.ceil;
  const free = (edge: number) => Math.max(1, round(Math.round(edge * scale) / multipleOf)) * multipleOf;
  return { width: width ?? free(size.width), height: height ?? free(size.height) };
}

/** A point of what the graph saw, in pixels, as a point of the picture that was given. */
export function toPicture({ picture, content }: WholeView, x: number, y: number): { x: number; y: number } {
  return {
    x: ((x - content.left) * picture.width) / content.width,
    y: ((y - content.top) * picture.height) / content.height,
  };
}
