// `forecourt version`: which build this is.
import { Command } from "commander";
import { version as number } from "../../package.json" with { type: "json" };
import { printJson, printLine } from "./terminal.ts";

export const versionNumber: string = number;
export const versionText = () => `forecourt ${number} (${process.platform} ${process.arch}, Bun ${Bun.version})`;

export const version = () =>
  new Command("version")
    .description("Prints the version of this executable.")
    .option("--json", "print as JSON")
    .action(({ json }: { json?: true }) => {
      if (!json) return printLine(versionText());
      printJson({
        version: number,
        platform: process.platform,
        arch: process.arch,
        bun: Bun.version,
        isCompiled: Bun.isStandaloneExecutable,
      });
    });
