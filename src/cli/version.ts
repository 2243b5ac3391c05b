// `forecourt version`: which build this is.
import { Command } from "commander";
import { version as number } from "../../package.json" with { type: "json" };
import { printJson, printLine } from "./terminal.ts";

declare global {
  /** The checkout that an executable was built from; set by config/build.ts, absent when running from source. */
  var FORECOURT_COMMIT: string | undefined;
}

export type Version = { version: string; commit: string | null; platform: string; arch: string; bun: string };

export const versionFacts = (): Version => ({
  version: number,
  commit: globalThis.FORECOURT_COMMIT ?? null,
  platform: process.platform,
  arch: process.arch,
  bun: Bun.version,
});

export function versionText(): string {
  const { version, commit, platform, arch, bun } = versionFacts();
  return `forecourt ${version} (${commit ?? "from source"}, ${platform} ${arch}, Bun ${bun})`;
}

export const version = () =>
  new Command("version")
    .description("Prints the version of this executable.")
    .option("--json", "print as JSON")
    .action(async ({ json }: { json?: true }) => {
      if (!json) return printLine(versionText());
      const { newestSchema } = await import("../control/database/snapshot.ts");
      printJson({ ...versionFacts(), schema: newestSchema() });
    });
