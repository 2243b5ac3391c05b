// `forecourt models reload`: a running server reads its model files anew; without one they are looked through.
import { Command } from "commander";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import { accountName } from "../account-name.ts";
import { findServer, placeOf } from "../running-server.ts";
import { type SettingsFlags, settingsOf, withSettings } from "../settings-flags.ts";
import { note, printJson, printLine } from "../terminal.ts";
import { catalogueOf } from "./catalogue.ts";

type Flags = SettingsFlags & { json?: true };

/** What POST /admin/v1/models/reload answers. */
type Reloaded = {
  added: string[];
  changed: string[];
  removed: string[];
  wrong: { file: string; reason: string; claims: readonly string[]; keeps: string | null }[];
};

export const reload = () =>
  withSettings(new Command("reload"), ["data", "host", "port"])
    .summary("have a running server read its model files anew")
    .description(
      "Has the running server read the files of <data>/models anew. What runs ends as it began; new requests get the models as they are now. A file that is wrong changes nothing of what is served.",
    )
    .option("--json", "print as JSON")
    .addHelpText(
      "after",
      "\nWithout a server the files are only looked through. Ends with exit code 1 where one is wrong.",
    )
    .action(async ({ json, ...flags }: Flags) => {
      const reloaded = await reloadServer(settingsOf(flags));
      if (!reloaded) note("No server runs on this data directory; its model files were looked through.");
      const wrong =
        reloaded?.wrong ??
        catalogueOf(flags)
          .catalog.wrong()
          .map((each) => ({ ...each, keeps: null }));
      if (json) printJson(reloaded ?? { wrong });
      else if (reloaded) print(reloaded);
      if (wrong.length === 0) return;
      throw new ForecourtError("misconfigured", wrong.map(reasonOf).join("\n"));
    });

/** Undefined where none runs. */
async function reloadServer(resolved: Parameters<typeof placeOf>[0]): Promise<Reloaded | undefined> {
  const server = await findServer(placeOf(resolved));
  if (!server) return undefined;
  const request = { method: "POST", account: `os:${accountName()}` };
  const response = await server.ask("/admin/v1/models/reload", request);
  return (await response.json()) as Reloaded; // our own server's
}

/** After a model file was written. What keeps a server from reading it is told; the file stays. */
export async function tellServer(resolved: Parameters<typeof placeOf>[0]): Promise<void> {
  try {
    const reloaded = await reloadServer(resolved);
    if (reloaded) note("The running server knows it now.");
    for (const each of reloaded?.wrong ?? []) note(reasonOf(each));
  } catch (error) {
    note(`A running server was not told: ${toFailure(error).message} Run \`forecourt models reload\` then.`);
  }
}

const reasonOf = ({ reason, keeps }: Reloaded["wrong"][number]) =>
  `${reason}${keeps === null ? "" : ` ${keeps} is served as it was before.`}`;

function print({ added, changed, removed, wrong }: Reloaded): void {
  const lines = Object.entries({ added, changed, removed }).flatMap(([what, ids]) =>
    ids.length > 0 ? [`${what}: ${ids.join(", ")}`] : [],
  );
  for (const line of lines) printLine(line);
  if (lines.length === 0 && wrong.length === 0) note("Nothing was changed since the server read its model files.");
}
