// `forecourt doctor`: what this box has, what is wrong with it and what to run.
import { Command } from "commander";
import { ForecourtError } from "../core/errors.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { printJson, printLine } from "./terminal.ts";

export const doctor = () =>
  withSettings(new Command("doctor"), ["data", "host", "port", "device"])
    .description("Examines devices, drivers, disk, port and settings, and says what to do. Changes nothing.")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nEnds with exit code 1 when Forecourt can't work on this box as it is set up.")
    .action(async ({ json, ...flags }: SettingsFlags & { json?: true }) => {
      const { examine } = await import("./doctor/examine.ts");
      const { reportText } = await import("./doctor/text.ts");
      const report = await examine(settingsOf(flags));
      if (json) printJson(report);
      else printLine(reportText(report));
      const failed = report.complaints.filter(({ severity }) => severity === "failed").length;
      if (failed > 0) throw new ForecourtError("misconfigured", `${failed} of the points above must be mended first.`);
    });
