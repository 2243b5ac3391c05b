// Asks another executable of Forecourt which version it is and which databases it reads.
import { ForecourtError } from "../../core/errors.ts";

export type OtherVersion = { version: string; commit: string | null; schema: number };

/** Loading it from a cold disk takes a few seconds. */
const ANSWER_MS = 60_000;

/** Throws `misconfigured` for one that does not run, or is too old to tell. */
export function askVersion(executable: string): OtherVersion {
  const asked = Bun.spawnSync([executable, "version", "--json"], { stdin: "ignore", timeout: ANSWER_MS });
  const told = read(asked.stdout.toString());
  if (asked.success && typeof told.version === "string" && typeof told.schema === "number") return told as OtherVersion; // just looked at
  const why = asked.success ? "does not tell which databases it reads" : `does not run (exit ${asked.exitCode})`;
  throw new ForecourtError(
    "misconfigured",
    `${executable} ${why}, so there is no way back to it. Nothing was changed.`,
  );
}

function read(text: string): Partial<OtherVersion> {
  try {
    return JSON.parse(text) as Partial<OtherVersion>; // looked at by the caller
  } catch {
    return {};
  }
}
