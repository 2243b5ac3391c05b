// Puts the media of a job's input on disk beside its outputs, where no URL leads.
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import type { FileToken } from "../../core/ids.ts";
import type { TObject } from "../../core/schema.ts";
import { fetchMedia, type MediaLimits, type Resolver } from "./fetch-media.ts";
import type { Files } from "./files.ts";
import { type MediaUrl, mediaUrls } from "./media-urls.ts";

export type InputMedia = {
  /** Does this input name anything to fetch? */
  isNeeded(schema: TObject, input: unknown): boolean;
  /**
   * URL -> file for every URL of the input. Throws `invalid_input` with the field of the first that could not be had.
   * This box's own `/files/` URLs are read from disk.
   */
  fetch(input: {
    schema: TObject;
    input: unknown;
    token: FileToken;
    signal: AbortSignal;
  }): Promise<Record<string, string>>;
  /** Removes what was fetched, and the folder when there are no outputs in it. */
  remove(token: FileToken): void;
};

/** Starts with a dot, so that files.ts does not give it out. */
const FOLDER = ".input";
const OWN_FILE = /\/files\/([\w-]{22})\/([^/?#]+)$/;

export function createInputMedia(parts: { files: Files; limits: MediaLimits; resolver?: Resolver }): InputMedia {
  const { files, limits, resolver } = parts;

  /** A token is the right to read its file, so the host of the URL does not matter. */
  const ownFile = (url: string): string | undefined => {
    const [, token, name] = OWN_FILE.exec(URL.parse(url)?.pathname ?? "") ?? [];
    return token && name ? files.find(token, name)?.path : undefined;
  };

  return {
    isNeeded: (schema, input) => mediaUrls(schema, input).length > 0,
    async fetch({ schema, input, token, signal }) {
      const folder = join(files.directory(token), FOLDER);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const media: Record<string, string> = {};
      for (const [at, { loc, url }] of mediaUrls(schema, input).entries()) {
        if (media[url] !== undefined) continue;
        const to = join(folder, String(at));
        media[url] = ownFile(url) ?? (await fetchTo({ loc, url }, to, { signal, limits, resolver }));
      }
      return media;
    },
    remove(token) {
      const folder = files.directory(token);
      rmSync(join(folder, FOLDER), { recursive: true, force: true });
      if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
    },
  };
}

type Means = { signal: AbortSignal; limits: MediaLimits; resolver: Resolver | undefined };

async function fetchTo({ loc, url }: MediaUrl, to: string, { signal, limits, resolver }: Means): Promise<string> {
  try {
    await fetchMedia({ url, to, signal }, limits, resolver);
    return to;
  } catch (error) {
    if (!(error instanceof ForecourtError)) throw error;
    const problems = error.problems?.map((problem) => ({ ...problem, loc, input: url }));
    const named = `${loc.slice(1).join(".")}: ${error.message}`;
    throw new ForecourtError("invalid_input", named, { ...(problems && { problems }), cause: error });
  }
}
