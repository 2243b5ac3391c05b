// How long code takes, on a machine that does other things too.

/** Milliseconds of processor time that this process has had, all its threads together. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
