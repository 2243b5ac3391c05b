// Puts the media of a job's input on disk beside its outputs, where no URL leads.
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ForecourtError } from "../../core/errors.ts";
import type { FileToken, KeyId } from "../../core/ids.ts";
import { isHubRepository, type TObject } from "../../core/schema.ts";
import type { NamedWeights } from "../weights/named-weights.ts";
import { fetchMedia, type MediaFetch, type MediaLimits } from "./fetch-media.ts";
import type { Files } from "./files.ts";
import { type MediaUrl, mediaUrls } from "./media-urls.ts";
import { looksOwn, type OwnMedia } from "./own-media.ts";
import type { Resolver } from "./pinned-address.ts";

export type InputMedia = {
  /** Does this input name anything to fetch? */
  isNeeded(schema: TObject, input: unknown): boolean;
  /**
   * URL -> file for every URL of the input. Throws `invalid_input` with the field of the first that could not be had.
   * This box's own files are taken from its store. Throws `unavailable` when that cannot be reached.
   */
  fetch(input: {
    schema: TObject;
    input: unknown;
    token: FileToken;
    /** Who asks for the run. */
    key: KeyId;
    signal: AbortSignal;
  }): Promise<Record<string, string>>;
  /** Removes what was fetched, and the folder when there are no outputs in it. */
  remove(token: FileToken): void;
};

/** Starts with a dot, so that files.ts does not give it out. */
const FOLDER = ".input";

export type InputMediaParts = {
  files: Pick<Files, "directory">;
  ownMedia: OwnMedia;
  /** Of repositories that are named in place of a URL. */
  namedWeights: NamedWeights;
  limits: MediaLimits;
  resolver?: Resolver;
};

export function createInputMedia({ files, ownMedia, namedWeights, limits, resolver }: InputMediaParts): InputMedia {
  const fetchOther = async (wanted: MediaFetch) => {
    try {
      await fetchMedia(wanted, limits, resolver);
    } catch (error) {
      throw error instanceof ForecourtError && looksOwn(wanted.url) ? perhapsExpired(error) : error;
    }
  };
  return {
    isNeeded: (schema, input) => mediaUrls(schema, input).length > 0,
    async fetch({ schema, input, token, key, signal }) {
      const folder = join(files.directory(token), FOLDER);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const media: Record<string, string> = {};
      for (const [at, { loc, url }] of mediaUrls(schema, input).entries()) {
        if (media[url] !== undefined) continue;
        const to = join(folder, String(at));
        media[url] = await named({ loc, url }, async () => {
          if (isHubRepository(url)) {
            await namedWeights(url, to, signal);
            return to;
          }
          const own = await ownMedia(url, key);
          await (own === undefined ? fetchOther({ url, to, signal }) : own.take(to));
          return to;
        });
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

/** The URL may lead to another box of this kind, or to a file that this one had: then its address is not what is wrong. */
function perhapsExpired({ code, message, problems = [], cause }: ForecourtError): ForecourtError {
  const told = (text: string) => `${text}. If this box made the file, it has expired or was deleted`;
  return new ForecourtError(code, told(message), {
    problems: problems.map((each) => ({ ...each, msg: told(each.msg) })),
    cause,
  });
}

/** Failures say which field of the input they are about. */
async function named({ loc, url }: MediaUrl, get: () => Promise<string>): Promise<string> {
  try {
    return await get();
  } catch (error) {
    if (!(error instanceof ForecourtError) || error.code === "unavailable") throw error;
    const problems = error.problems?.map((problem) => ({ ...problem, loc, input: url }));
    const message = `${loc.slice(1).join(".")}: ${error.message}`;
    throw new ForecourtError("invalid_input", message, { ...(problems && { problems }), cause: error });
  }
}
