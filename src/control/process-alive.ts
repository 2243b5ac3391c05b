// Whether a process that left its number somewhere still lives.

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another account's may not be asked, which says that it is there.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
