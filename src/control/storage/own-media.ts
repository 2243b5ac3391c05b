// URLs of this box's own files in a job's input: taken from its store, without a detour over its own door.
import { ForecourtError } from "../../core/errors.ts";
import type { KeyId } from "../../core/ids.ts";
import type { Key } from "../keys/key.ts";
import type { Keys } from "../keys/keys.ts";
import type { Tokens } from "../keys/tokens.ts";
import type { Decision } from "./acl.ts";
import type { Files, StoredFile } from "./files.ts";
import { isSigned } from "./signed.ts";
import type { UploadedFile, Uploads } from "./uploads.ts";

/**
 * The file; undefined for other URLs. The token in a URL is the right to read its file, so the host does not
 * matter. Throws `file_download_error` when the file's rules keep it from `reader`.
 */
export type OwnMedia = (url: string, reader: KeyId) => Promise<StoredFile | undefined>;

/** Whether a URL has the form of this box's own, whatever became of its file. */
export const looksOwn = (url: string): boolean => {
  const path = URL.parse(url)?.pathname ?? "";
  return OUTPUT.test(path) || UPLOAD.test(path);
};

const OUTPUT = /\/files\/([\w-]{22})\/([^/]+)$/;
const UPLOAD = /\/files\/b\/([\w-]{22})\/([^/]+)$/;

export type OwnMediaParts = {
  files: Pick<Files, "find">;
  /** Of output files. */
  fileRules: (token: string) => { decide(reader: Key | undefined): Decision } | undefined;
  uploads: Pick<Uploads, "find">;
  keys: Pick<Keys, "find">;
  tokens: Pick<Tokens, "verify">;
};

export function createOwnMedia({ files, fileRules, uploads, keys, tokens }: OwnMediaParts): OwnMedia {
  return async (text, reader) => {
    const url = URL.parse(text);
    const [, token = "", name = ""] = OUTPUT.exec(url?.pathname ?? "") ?? [];
    if (token) {
      const file = await files.find(token, name);
      const decision = file === undefined ? "allow" : (fileRules(token)?.decide(keys.find(reader)) ?? "allow");
      if (decision === "allow" || isSigned(tokens, url?.searchParams.get("identity") ?? null, token)) return file;
      throw notShared();
    }
    const [, uploaded = "", uploadName = ""] = UPLOAD.exec(url?.pathname ?? "") ?? [];
    const upload: UploadedFile | undefined = uploaded ? uploads.find(uploaded, uploadName) : undefined;
    if (!url || !upload) return undefined;
    const mayRead =
      upload.decide(keys.find(reader)) === "allow" || isSigned(tokens, url.searchParams.get("identity"), uploaded);
    if (mayRead) return upload;
    throw notShared();
  };
}

function notShared(): ForecourtError {
  const msg = "Failed to download the file: it does not exist, or is not shared with this key";
  const problem = { loc: ["body"], msg, type: "file_download_error" };
  return new ForecourtError("file_download_error", msg, { problems: [problem] });
}
