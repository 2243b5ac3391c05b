// Whether an error is of the database: it cannot be read or written now, for its disk or another process.

/** Or what it was caused by: a lost turn of writes is told with an error of ours. */
export function isDatabaseError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && String(error.code).startsWith("SQLITE_")) || isDatabaseError(error.cause);
}
