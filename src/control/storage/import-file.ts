// Takes the file behind a URL into the uploads of a key, where its inputs may come from.
import { randomBytes } from "node:crypto";
import { createReadStream, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { KeyId } from "../../core/ids.ts";
import { fetchMedia, type MediaLimits } from "./fetch-media.ts";
import type { Upload } from "./upload-content.ts";
import type { Uploads } from "./uploads.ts";

export type FileImport = {
  key: KeyId;
  url: string;
  name: string;
  /** By default what the URL's server says. */
  contentType?: string;
  signal: AbortSignal;
};

/** Throws what fetchMedia and uploads throw. */
export type ImportFile = (file: FileImport) => Promise<Upload>;

/** `scratch` is a folder of its own; what a killed server left there is removed. */
export function createImportFile(parts: {
  uploads: Pick<Uploads, "begin" | "write">;
  scratch: string;
  limits: MediaLimits;
}): ImportFile {
  const { uploads, scratch, limits } = parts;
  rmSync(scratch, { recursive: true, force: true });
  return async ({ key, url, name, contentType, signal }) => {
    mkdirSync(scratch, { recursive: true, mode: 0o700 });
    const to = join(scratch, randomBytes(12).toString("hex"));
    try {
      const fetched = await fetchMedia({ url, to, signal }, limits);
      const type = contentType ?? fetched.contentType ?? "application/octet-stream";
      const { secret } = await uploads.begin({ key, name, contentType: type });
      return await uploads.write(secret, createReadStream(to));
    } finally {
      rmSync(to, { force: true });
    }
  };
}
