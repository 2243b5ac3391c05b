// Output files of jobs: one folder each under <data>/files, named by an unguessable token.
import { lstatSync, rmSync } from "node:fs";
import { extname, join } from "node:path";
import type { FileToken } from "../../core/ids.ts";
import { type Bytes, bytes } from "../../core/units.ts";

export type StoredFile = { path: string; name: string; contentType: string; size: Bytes };

export type Files = {
  /** Path of the folder, which exists once something was put into it: most jobs' never does. */
  directory(token: FileToken): string;
  /** Undefined for unknown, expired, or for names that try to leave the folder. */
  find(token: string, name: string): StoredFile | undefined;
  remove(token: FileToken): void;
};

/** 128 bits in base64url, as ids.ts makes them. */
const TOKEN = /^[\w-]{22}$/;
/** One plain component; a leading dot is kept for what callers must not read. */
const NAME = /^[A-Za-z0-9_-][\w.-]{0,199}$/;

export function createFiles({ root }: { root: string }): Files {
  return {
    directory: (token) => join(root, token),
    find(token, name) {
      if (!TOKEN.test(token) || !NAME.test(name)) return undefined;
      const path = join(root, token, name);
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (!found?.isFile()) return undefined;
      return { path, name, contentType: contentTypeOf(name), size: bytes(found.size) };
    },
    remove(token) {
      if (TOKEN.test(token)) rmSync(join(root, token), { recursive: true, force: true });
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
  ".bvh": "text/plain; charset=utf-8",
  ".mid": "audio/midi",
  ".zip": "application/zip",
};

/** What a browser must not interpret (a page, a script) goes out as bytes. */
const contentTypeOf = (name: string) => CONTENT_TYPES[extname(name).toLowerCase()] ?? "application/octet-stream";
