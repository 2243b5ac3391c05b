// Settings files that were changed after the server began, which reads them once.
import { statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Resolved } from "../../control/settings/resolve.ts";
import type { Settings } from "../../control/settings.ts";
import { notedSince } from "../serve/noted-address.ts";
import type { Complaint } from "./report.ts";

/** None where no server of this data directory runs. */
export function changedSince({ settings, origins }: Pick<Resolved<Settings>, "settings" | "origins">): Complaint[] {
  const since = notedSince(settings.data);
  if (since === undefined) return [];
  const named = origins.map(({ origin }) => origin).filter(isAbsolute);
  const files = new Set([join(settings.data, "appliance.yaml"), ...named]);
  return [...files]
    .filter((file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > since)
    .map((file) => ({
      severity: "warning",
      what: `${file} was changed after the server began, which goes by what it read then`,
      remedy: "start the server again",
    }));
}
