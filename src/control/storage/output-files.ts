// The files that a job's output names: fields `url` that hold `forecourt-file:<name>`, made public by the faces.

const FILE_REFERENCE = "forecourt-file:";

/** The file's name, where a field holds a reference. Equal texts elsewhere, such as a prompt, are the caller's own. */
export function fileReference(field: string, value: unknown): string | undefined {
  if (field !== "url" || typeof value !== "string" || !value.startsWith(FILE_REFERENCE)) return undefined;
  return value.slice(FILE_REFERENCE.length);
}

/** Names of all references in a value, however deep. */
export function referencedFiles(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) => fileReference(field, inner) ?? referencedFiles(inner));
}
