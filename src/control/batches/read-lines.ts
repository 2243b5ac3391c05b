// The lines of a file, with where in it they are; it may be larger than memory, a line may not.
import type { FileBody } from "../storage/file-store.ts";

/** `number` counts from 1, as editors do; `start` and `end` in bytes, without the line's end. */
export type FileLine = { number: number; start: number; end: number; text: string };

const NEWLINE = 10;

/** Empty lines are passed by. One longer than `most` bytes is given without its text, and is the last. */
export async function* readLines(body: FileBody, most: number): AsyncGenerator<FileLine | Omit<FileLine, "text">> {
  let number = 1;
  let start = 0;
  let pieces: Uint8Array[] = [];
  let length = 0;
  const line = () => ({ number, start, end: start + length, text: Buffer.concat(pieces).toString("utf8") });
  for await (const chunk of body instanceof Blob ? body.stream() : body) {
    for (let from = 0; from < chunk.length; ) {
      const at = chunk.indexOf(NEWLINE, from);
      const piece = chunk.subarray(from, at === -1 ? undefined : at);
      length += piece.length;
      if (length > most) return yield { number, start, end: start + length };
      pieces.push(piece);
      if (at === -1) break;
      const read = line();
      if (read.text.trim() !== "") yield read;
      [number, start, pieces, length] = [number + 1, read.end + 1, [], 0];
      from = at + 1;
    }
  }
  const last = line();
  if (last.text.trim() !== "") yield last;
}
