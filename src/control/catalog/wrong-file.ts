// An operator's file that is wrong, and the ids that it was to be of.
import { ForecourtError } from "../../core/errors.ts";
import { readYaml } from "../../core/read-yaml.ts";
import { isMapping } from "../../core/unknown-fields.ts";

export type WrongFile = {
  file: string;
  /** Names the file and the field. */
  reason: string;
  /** Ids and aliases that it claims, as far as they can be read; its own id first. */
  claims: readonly string[];
  /** Its own id among them. */
  id?: string;
  /** The model that was served from it before, and still is. */
  keeps?: string;
};

const ID = /[\w.-]+(?:\/[\w.-]+)+/g;

/** What a text claims that is no model: of one that is no YAML either, its lines are looked at. */
export function claimsOf(text: string): Pick<WrongFile, "id" | "claims"> {
  const value = read(text);
  const ids = isMapping(value) ? idsIn(value) : idsInLines(text);
  const [id] = ids.own;
  return { claims: [...new Set([...ids.own, ...ids.others])], ...(id !== undefined && { id }) };
}

function read(text: string): unknown {
  try {
    return readYaml(text);
  } catch {
    return undefined; // its reason says so
  }
}

function idsIn({ id, aliases, endpoints }: Record<string, unknown>) {
  const own = typeof id === "string" ? [id] : [];
  const listed = Array.isArray(aliases) ? aliases.filter((each) => typeof each === "string") : [];
  return { own, others: [...listed, ...(isMapping(endpoints) ? Object.keys(endpoints) : [])] };
}

function idsInLines(text: string) {
  const [, own = ""] = /^["']?id["']?\s*:(.*)$/m.exec(text) ?? [];
  const [, aliases = ""] = /^["']?aliases["']?\s*:((?:.*)(?:\n[ \t]*-.*)*)/m.exec(text) ?? [];
  return { own: (own.match(ID) ?? []).slice(0, 1), others: aliases.match(ID) ?? [] };
}

/** Of a request for what such files claim. `folder` is cut off: callers need not know where it lies. */
export function refusalBy(files: readonly WrongFile[], endpoint: string): ForecourtError {
  const reasons = files.map(({ file, reason }) => reason.replaceAll(folderOf(file), "models/"));
  const which = files.length === 1 ? "its model file is wrong" : "its model files are wrong";
  return new ForecourtError("model_file_wrong", `${endpoint} is not served: ${which}. ${reasons.join(" ")}`, {
    details: { files: files.map(({ file }) => file.slice(folderOf(file).length)) },
  });
}

const folderOf = (file: string) => file.slice(0, file.lastIndexOf("/") + 1);
