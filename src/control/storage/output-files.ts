// The files that a job's output names: references `forecourt-file:<name>`, made public by the faces.

export const FILE_REFERENCE = "forecourt-file:";

/** Names of all references in a value, however deep. */
export function referencedFiles(value: unknown): string[] {
  if (typeof value === "string") return value.startsWith(FILE_REFERENCE) ? [value.slice(FILE_REFERENCE.length)] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(referencedFiles);
}
