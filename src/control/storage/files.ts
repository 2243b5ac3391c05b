// Output files of jobs: one folder each under <data>/files, named by an unguessable token.
import type { FileToken } from "../../core/ids.ts";
import type { Bytes } from "../../core/units.ts";

export type StoredFile = { path: string; name: string; contentType: string; size: Bytes };

export type Files = {
  /** Makes the folder (mode 0700) and returns its path. */
  directory(token: FileToken): string;
  /** Undefined for unknown, expired, or for names that try to leave the folder. */
  find(token: string, name: string): StoredFile | undefined;
  remove(token: FileToken): void;
};
