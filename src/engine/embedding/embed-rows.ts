// One row of an embedding request: a text in tokens, or a picture or sound that is read when its turn comes.
import type { ImageCodec, Task } from "../../core/pipeline.ts";
import { readPicture } from "../media/picture.ts";
import type { EncodedText } from "../text/encoder-tokenizer.ts";
import type { Embedder } from "./embedder.ts";

type TextRow = { kind: "text"; length: number; text: EncodedText };
type PictureRow = {
  kind: "picture";
  length: number;
  task: Pick<Task<unknown>, "media">;
  url: string;
  /** Of the URL in the request. */
  loc: (string | number)[];
};

type SoundRow = Omit<PictureRow, "kind" | "task"> & {
  kind: "sound";
  task: Pick<Task<unknown>, "media" | "convertSound" | "longestSoundSeconds" | "log">;
};

export type EmbedRow = TextRow | PictureRow | SoundRow;

/** All of one kind. Throws `invalid_input` for a picture or a sound that is none. */
export async function vectorsOf(
  pass: readonly EmbedRow[],
  { model, codec, signal }: { model: Embedder; codec: ImageCodec; signal: AbortSignal },
): Promise<Float32Array[]> {
  const texts = pass.flatMap((row) => (row.kind === "text" ? [row.text] : []));
  if (texts.length > 0) return await model.texts(texts);
  const heard = pass.flatMap((row) => (row.kind === "sound" ? [row] : []));
  if (heard.length > 0)
    return (await model.sounds?.(heard.map((row) => ({ ...row, field: row.loc.slice(1).join("."), signal })))) ?? [];
  const shown = pass.flatMap((row) => (row.kind === "picture" ? [row] : []));
  const pictures = await Promise.all(
    shown.map(({ task, url, loc }) => readPicture({ task, codec, url, field: loc.slice(1) })),
  );
  return (await model.pictures?.(pictures)) ?? [];
}
