// Output files of jobs: one folder each, named by an unguessable token.
import { lstatSync } from "node:fs";
import { extname, join } from "node:path";
import type { FileToken } from "../../core/ids.ts";
import { type Bytes, bytes, type Instant } from "../../core/units.ts";
import type { ByteRange, FileBody, FileStore } from "./file-store.ts";
import type { Removals } from "./removals.ts";

export type StoredFile = {
  name: string;
  contentType: string;
  size: Bytes;
  modifiedAt: Instant;
  /** Another for other content. */
  version: string;
  /** Both as in file-store.ts. */
  read(range?: ByteRange): Promise<FileBody>;
  take(to: string): Promise<void>;
};

type Placed = Pick<StoredFile, "name" | "contentType" | "size" | "modifiedAt"> & { at: string };

/** `at` is its name in the store. */
export const storedFile = (store: FileStore, { at, ...facts }: Placed): StoredFile => ({
  ...facts,
  version: `${at} ${facts.size}`,
  read: (range) => store.read(at, range),
  take: (to) => store.take(at, to),
});

export type Files = {
  /** Path of the folder for its runner, on this disk; it exists once something was put into it: most jobs' never does. */
  directory(token: FileToken): string;
  /** Of a file that the runner, which has just ended, wrote; undefined where it did not. */
  written(token: FileToken, name: string): Bytes | undefined;
  /** Undefined for unknown, expired, or for names that try to leave the folder. Throws `unavailable`. */
  find(token: string, name: string): Promise<StoredFile | undefined>;
  /** Inside a write, once their job is over: nobody finds them any more when that is written, and they are removed when they can be. */
  forget(token: FileToken): void;
};

/** Of `root`, and in the store. */
export const FILES_FOLDER = "files";

/** 128 bits in base64url, as ids.ts makes them. */
const TOKEN = /^[\w-]{22}$/;
/** One plain component; a leading dot is kept for what callers must not read. */
const NAME = /^[A-Za-z0-9_-][\w.-]{0,199}$/;

type FilesParts = { root: string; store: FileStore; removals: Pick<Removals, "add" | "has"> };

/** `root` holds the folder of what runners write; what is there is part of the store. */
export function createFiles({ root, store, removals }: FilesParts): Files {
  const directory = (token: FileToken) => join(root, FILES_FOLDER, token);
  return {
    directory,
    written(token, name) {
      const found = NAME.test(name) ? lstatSync(join(directory(token), name), { throwIfNoEntry: false }) : undefined;
      return found?.isFile() ? bytes(found.size) : undefined;
    },
    async find(token, name) {
      if (!TOKEN.test(token) || !NAME.test(name)) return undefined;
      const at = `${FILES_FOLDER}/${token}/${name}`;
      const found = removals.has(at) ? undefined : await store.find(at);
      return found && storedFile(store, { at, name, contentType: contentTypeOf(name), ...found });
    },
    forget(token) {
      if (TOKEN.test(token)) removals.add(`${FILES_FOLDER}/${token}`);
    },
  };
}

const CONTENT_TYPES: Record<string, string> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
  ".gif": "image/gif",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".wav": "audio/wav",
  ".mp3": "audio/mpeg",
  ".ogg": "audio/ogg",
  ".flac": "audio/flac",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".glb": "model/gltf-binary",
  ".obj": "model/obj",
  ".bvh": "text/plain; charset=utf-8",
  ".mid": "audio/midi",
  ".zip": "application/zip",
};

/** What a browser must not interpret (a page, a script) goes out as bytes. */
const contentTypeOf = (name: string) => CONTENT_TYPES[extname(name).toLowerCase()] ?? "application/octet-stream";
