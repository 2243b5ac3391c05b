// Where the bytes of uploads and outputs lie for good: this box's disk, or a bucket elsewhere.
import type { Bytes, Instant } from "../../core/units.ts";

/** Bytes from `start` up to, not including, `end`. */
export type ByteRange = { start: number; end: number };
export type FileBody = Blob | ReadableStream<Uint8Array>;

/** `modifiedAt` is when its content came to where it lies. */
export type FileFacts = { size: Bytes; modifiedAt: Instant };

/**
 * Names are paths of plain components, such as `uploads/<token>/<digest>`; the content of a name never changes. Every
 * function throws `unavailable`, with the reason, when the store cannot be reached.
 */
export type FileStore = {
  /** For people. */
  place: string;
  /** Takes a local file; it is there under its name whole or not at all. What is left at `path` is the caller's. */
  put(name: string, path: string): Promise<void>;
  find(name: string): Promise<FileFacts | undefined>;
  /** Resolves once the first byte is there to be sent. Throws `not_found` for a name that is not (any more). */
  read(name: string, range?: ByteRange): Promise<FileBody>;
  /** A local copy, or link, at `to`. Throws as `read` does. */
  take(name: string, to: string): Promise<void>;
};
