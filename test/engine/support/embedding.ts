// The tiny models of test/reference/embedding, and what Python says of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EmbedDeclaration } from "../../../src/engine/embedding/declaration.ts";
import { embed } from "../../../src/engine/pipelines/embed.ts";
import { createAssets } from "../../../src/engine/runner/assets.ts";
import { createCodec } from "../../../src/engine/runner/codec.ts";
import { openGraph } from "../../../src/engine/runner/session.ts";
import { runOnce } from "./load.ts";

const REFERENCE = join(import.meta.dir, "../../reference");
export const folderOf = (family: string) => join(REFERENCE, "embedding", family);
export const picture = (name: string) => new Uint8Array(readFileSync(join(REFERENCE, "demo-clip", name)));

export type RerankCases = {
  query: string;
  documents: string[];
  ids: number[][];
  types: (number[] | null)[];
  logits: number[];
  scores: number[];
  cut: { pairs: [string, string][]; lengths: number[]; ids: number[][][] };
};
export type TextCases = {
  texts: string[];
  ids: number[][];
  embeddings: Partial<Record<"mean" | "cls" | "last", number[][]>>;
  queries?: { mean: number[][] };
  rerank?: RerankCases;
};

export const casesOf = <Cases = TextCases>(family: string): Cases =>
  JSON.parse(readFileSync(join(folderOf(family), "cases.json"), "utf8"));

/** `graphs` as in a model file. */
export const openFamily = (family: string, graphs: Record<string, string> = {}) =>
  createAssets({
    folder: folderOf(family),
    graphs,
    open: (path) => openGraph(path, { device: { kind: "cpu", index: 0 }, threads: 1 }),
    codec: createCodec(),
  });

type Options = { declared?: EmbedDeclaration; media?: (url: string) => Promise<Uint8Array> };

export const embedOnce = (family: string, input: Record<string, unknown>, { declared, media }: Options = {}) =>
  runOnce(embed.of({ ...(declared && { embed: declared }) }), {
    assets: openFamily(family),
    input,
    ...(media && { media }),
  });

export function furthest(got: readonly (readonly number[])[], wanted: readonly (readonly number[])[]): number {
  const apart = wanted.flatMap((row, i) => row.map((value, j) => Math.abs(value - (got[i]?.[j] ?? Number.NaN))));
  return got.length === wanted.length ? Math.max(...apart) : Number.NaN;
}

export function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
