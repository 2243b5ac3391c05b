// What SQLite says of a disk without room.

/** Also of what a lost turn of writes is told with, whose cause it is. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && error.code === "SQLITE_FULL") || isDiskFull(error.cause);
}
