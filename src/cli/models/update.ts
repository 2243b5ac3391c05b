// `forecourt models update`: new revisions of weights, by the server where one runs.
import { Command } from "commander";
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import { chooseDevices, memoryBudget } from "../../control/choose-device.ts";
import { lockData } from "../../control/database/lock.ts";
import { databaseFile, openDatabase } from "../../control/database/open.ts";
import { findDevices } from "../../control/find-devices.ts";
import type { Settings } from "../../control/settings.ts";
import { openUpdates } from "../../control/updates/open-updates.ts";
import type { Updated } from "../../control/updates/updates.ts";
import { createVariantsHere } from "../../control/variants-here.ts";
import { systemClock, systemTimers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import { ForecourtError } from "../../core/errors.ts";
import { createLog } from "../../core/log.ts";
import { footprintOf, modelOn } from "../../engine/variants.ts";
import { accountName } from "../account-name.ts";
import { leaveToServer } from "../audited-commands.ts";
import { findServer, placeOf, type RunningServer, unlessNew } from "../running-server.ts";
import { type SettingsFlags, withSettings } from "../settings-flags.ts";
import { note, printJson, printLine } from "../terminal.ts";
import { catalogueOf, findModel } from "./catalogue.ts";

type Flags = SettingsFlags & { json?: true };

export const update = () =>
  withSettings(new Command("update"), ["data", "host", "port"])
    .summary("take over new revisions of models")
    .description(
      "Looks for new commits of a model's repository, fetches them beside the old ones, runs the model's examples with them in a process of their own, and only then gives them to the model. A server that runs serves on all the while.",
    )
    .argument("[model...]", "ids or aliases; none: all models that follow a branch (`track`)")
    .option("--json", "print as JSON")
    .addHelpText("after", "\nEnds with exit code 1 when a revision failed its trial; the model stays as it was then.")
    .action(async (endpoints: string[], { json, ...flags }: Flags, command: Command) => {
      const { settings, origins, catalog } = catalogueOf(flags);
      if (settings.hub.offline)
        throw new ForecourtError("misconfigured", "hub.offline is set, and updates ask the Hub: unset it for this.");
      const entries = endpoints.map((endpoint) => findModel(catalog, findModel(catalog, endpoint).model.id));
      const server = await findServer(placeOf({ settings, origins }));
      const results = server
        ? await askServer(server, { entries, command })
        : await updateHere(settings, { catalog, entries });
      if (json) printJson(results);
      else print(results);
      const failed = results.filter(({ state }) => state === "failed" || state === "postponed").length;
      if (failed > 0)
        throw new ForecourtError("unavailable", `${failed} of ${results.length} models were not updated.`);
    });

type Catalog = ReturnType<typeof catalogueOf>["catalog"];

/** That follow a branch. */
const ALL = "";

type Asked = { entries: CatalogEntry[]; command: Command };

async function askServer(server: RunningServer, { entries, command }: Asked): Promise<Updated[]> {
  const ids = entries.map(({ model }) => model.id);
  const results: Updated[] = [];
  const account = `os:${accountName()}`;
  for (const id of ids.length > 0 ? ids : [ALL]) {
    const path = id === ALL ? "update" : `${id}/update`;
    const asked = server.ask(`/admin/v1/models/${path}`, { method: "POST", account });
    const response = await asked.catch((error: unknown) => {
      if (isAnswer(error)) leaveToServer(command);
      throw unlessNew(id, error);
    });
    leaveToServer(command);
    results.push(...(await lastEvent(response)));
  }
  return results;
}

/** A refusal is in the server's audit log too, unless it does not know for whom it was asked. */
const isAnswer = (error: unknown) => error instanceof ForecourtError && error.code !== "unauthenticated";

/** What our own server says at the end of its stream. */
async function lastEvent(response: Response): Promise<Updated[]> {
  const events = (await response.text()).split("\n\n").filter((event) => /^data:|\ndata:/.test(event));
  const last = events.at(-1) ?? "";
  const said = JSON.parse(/(?:^|\n)data: (.*)/.exec(last)?.[1] ?? "{}") as { updates?: Updated[]; detail?: unknown };
  if (said.updates) return said.updates;
  throw new ForecourtError("unavailable", typeof said.detail === "string" ? said.detail : "The server said nothing.");
}

type Wanted = { catalog: Catalog; entries: CatalogEntry[] };

async function updateHere(settings: Settings, { catalog, entries }: Wanted): Promise<Updated[]> {
  using _lock = lockData(settings.data);
  using database = openDatabase({
    file: databaseFile(settings.data),
    synchronous: settings.database.synchronous,
  });
  const devices = chooseDevices(await findDevices({ settings }), settings.device);
  const updates = openUpdates({
    ...{ settings, catalog, database, clock: systemClock, timers: systemTimers },
    variantsOf: createVariantsHere({ settings, devices }),
    log: createLog({ level: "warn", format: "text", write: note }),
    scheduler: {
      hold({ model }, variant) {
        const need = footprintOf(variant);
        const isMeant = ({ kind }: Device) => modelOn(model, kind) === variant;
        const device = devices.find((each) => isMeant(each) && memoryBudget(each, settings.memory) >= need);
        return device && { device, [Symbol.dispose]() {} };
      },
      renew() {},
    },
  });
  const stop = () => void updates.stop();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    if (entries.length === 0) return await updates.updateAll();
    const results: Updated[] = [];
    for (const entry of entries) results.push(...(await updates.update(entry)));
    return results;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

function print(results: Updated[]): void {
  if (results.length === 0) note("No model follows a branch: name one, or set `track` in its file.");
  for (const result of results) printLine(`${nameOf(result)}: ${textOf(result)}`);
}

const nameOf = ({ model, beside }: Updated) => (beside === undefined ? model : `${model} (${beside})`);

function textOf(result: Updated): string {
  const { from, to } = { from: result.from?.slice(0, 12), to: result.to?.slice(0, 12) };
  switch (result.state) {
    case "current":
      return `up to date (${from})`;
    case "installed":
      return `${to} in place of ${from}`;
    case "absent":
      return `not on this disk. ${result.reason}`;
    case "postponed":
      return `${to} waits: ${result.reason}`;
    case "failed":
      return to === undefined ? result.reason : `stays with ${from}, since ${to} failed its trial: ${result.reason}`;
  }
}
