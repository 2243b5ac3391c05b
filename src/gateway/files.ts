// Output files by URL: whoever knows the URL may read it, unless the job's caller said otherwise; nothing in it can run as a page.
import type { Jobs } from "../control/jobs/jobs.ts";
import type { Tokens } from "../control/keys/tokens.ts";
import type { Files } from "../control/storage/files.ts";
import { isSigned } from "../control/storage/signed.ts";
import type { Authenticate } from "./authenticate.ts";
import { urlOf } from "./origin.ts";
import { noFile, readerOf, requireLeave } from "./reader.ts";
import { requireMethod } from "./require-method.ts";
import { serveFile } from "./serve-file.ts";

/** `names` is what follows /files/ in the path: `<token>/<name>`, still percent-encoded. */
export function createFileFace({ files, jobs, tokens, authenticate }: FileFaceParts) {
  return async (request: Request, names: string): Promise<Response> => {
    requireMethod(request, ["GET"], "Files can only be read.");
    const { token, name } = lookUp(names);
    const file = token === "" || name === "" ? undefined : await files.find(token, name);
    if (!file) throw noFile();
    const rules = jobs.fileRules(token);
    if (!rules) return serveFile(request, file);
    if (rules.decide(undefined) === "allow")
      return serveFile(request, file, Math.floor(Math.min(rules.secondsLeft, A_DAY)));
    if (rules.secondsLeft <= 0) throw noFile();
    if (!isSigned(tokens, urlOf(request).searchParams.get("identity"), token))
      requireLeave(rules.decide(readerOf(authenticate, request)));
    return serveFile(request, file, 0);
  };
}

export type FileFaceParts = {
  files: Pick<Files, "find">;
  jobs: Pick<Jobs, "fileRules">;
  tokens: Pick<Tokens, "verify">;
  /** By key or storage token. */
  authenticate: Authenticate;
};

const A_DAY = 86_400;

function lookUp(names: string): { token: string; name: string } {
  const parts = names.split("/");
  const [token = "", name = ""] = parts.length === 2 ? parts.map(decoded) : [];
  return { token, name };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return ""; // malformed percent-encoding names no file
  }
}
