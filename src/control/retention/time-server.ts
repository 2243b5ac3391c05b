// Whether a time server has set this machine's clock of late: systemd-timesyncd touches a file each time that one did (its manual page).
import { statSync } from "node:fs";
import type { Instant } from "../../core/units.ts";

/** By the clock as it is set: one that leaped since is not what the server said. */
export type IsConfirmed = (now: Instant) => boolean;

/** It asks every 34 minutes or more often (PollIntervalMaxSec of timesyncd.conf(5)). */
const RECENT_MS = 60 * 60 * 1000;

export function createTimeServer(file = "/run/systemd/timesync/synchronized"): IsConfirmed {
  return (now) => {
    try {
      return Math.abs(now - statSync(file).mtimeMs) <= RECENT_MS;
    } catch {
      return false; // there is no such service, it has not reached a server since the machine started, or it is not ours to see
    }
  };
}
