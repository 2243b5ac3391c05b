// Whether an error says that there is no room on a disk: of the system's words and of SQLite's.

const CODES: unknown[] = ["ENOSPC", "EDQUOT", "SQLITE_FULL"];

/** Or what it was caused by: a lost turn of writes is told with an error of ours. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && CODES.includes(error.code)) || isDiskFull(error.cause);
}
