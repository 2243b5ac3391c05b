// Files that were changed after the server began, which reads them once.
import { readdirSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { isModelFile, modelsFolder } from "../../control/catalog/operator-files.ts";
import type { Resolved } from "../../control/settings/resolve.ts";
import type { Settings } from "../../control/settings.ts";
import { notedSince } from "../serve/noted-address.ts";
import type { Complaint } from "./report.ts";

/** None where no server of this data directory runs. */
export function changedSince({ settings, origins }: Pick<Resolved<Settings>, "settings" | "origins">): Complaint[] {
  const since = notedSince(settings.data);
  if (since === undefined) return [];
  const named = origins.map(({ origin }) => origin).filter(isAbsolute);
  const files = new Set([join(settings.data, "appliance.yaml"), ...named, ...modelFiles(modelsFolder(settings.data))]);
  return [...files]
    .filter((file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > since)
    .map((file) => ({
      severity: "warning",
      what: `${file} was changed after the server began, which goes by what it read then`,
      remedy: "start the server again",
    }));
}

/** With their folder, which is changed when one is added or removed. */
function modelFiles(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return [
    folder,
    ...readdirSync(folder)
      .filter(isModelFile)
      .map((name) => join(folder, name)),
  ];
}
