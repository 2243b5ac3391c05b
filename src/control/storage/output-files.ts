// The files that a job's output names: fields `url` that hold `forecourt-file:<name>`, made public by the faces.
import type { FileToken } from "../../core/ids.ts";

const FILE_REFERENCE = "forecourt-file:";

/** The same with its folder's token, for other jobs' inputs and outputs: a URL whose path is that of the file here. */
const ABSOLUTE = /^forecourt-file:(\/files\/[\w-]{22}\/[\w.-]+)$/;

/** The file's name, where a field holds a reference. Equal texts elsewhere, such as a prompt, are the caller's own. */
export function fileReference(field: string, value: unknown): string | undefined {
  if (field !== "url" || typeof value !== "string" || !value.startsWith(FILE_REFERENCE)) return undefined;
  if (filePath(value) !== undefined) return undefined;
  return value.slice(FILE_REFERENCE.length);
}

/** `/files/<token>/<name>`, where a text is the reference to a file of any job. */
export const filePath = (value: unknown): string | undefined =>
  typeof value === "string" ? ABSOLUTE.exec(value)?.[1] : undefined;

/** A copy of a job's output that keeps its meaning outside of that job. */
export function withFolder(value: unknown, files: FileToken): unknown {
  if (Array.isArray(value)) return value.map((each) => withFolder(each, files));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([field, inner]) => {
    const name = fileReference(field, inner);
    return [field, name === undefined ? withFolder(inner, files) : `${FILE_REFERENCE}/files/${files}/${name}`];
  });
  return Object.fromEntries(fields);
}

/** Names of all references in a value, however deep. */
export function referencedFiles(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) => fileReference(field, inner) ?? referencedFiles(inner));
}
