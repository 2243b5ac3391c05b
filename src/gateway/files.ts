// Output files by URL: whoever knows the URL may read it, browsers included; nothing in it can run as a page of this box.
import type { Files, StoredFile } from "../control/storage/files.ts";
import { ForecourtError } from "../core/errors.ts";
import { requireMethod } from "./require-method.ts";
import { serveFile } from "./serve-file.ts";

/** `names` is what follows /files/ in the path: `<token>/<name>`, still percent-encoded. */
export function createFileFace({ files }: { files: Pick<Files, "find"> }) {
  return (request: Request, names: string): Response => {
    requireMethod(request, ["GET", "HEAD"], "Files can only be read.");
    const file = lookUp(files, names);
    if (!file) throw new ForecourtError("not_found", "There is no such file, or it has expired.");
    return serveFile(request, file);
  };
}

function lookUp(files: Pick<Files, "find">, names: string): StoredFile | undefined {
  const parts = names.split("/");
  if (parts.length !== 2) return undefined;
  const [token = "", name = ""] = parts.map(decoded);
  return token === "" || name === "" ? undefined : files.find(token, name);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return ""; // malformed percent-encoding names no file
  }
}
