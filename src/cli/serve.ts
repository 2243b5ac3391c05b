// `forecourt serve`: the main job, from settings to a drained stop.
import { Command } from "commander";
import { type Appliance, type ApplianceParts, createAppliance } from "../control/appliance.ts";
import { adminKeyFile } from "../control/keys/admin-key.ts";
import { type Settings, serviceFacts } from "../control/settings.ts";
import { operatorModels } from "../control/too-large.ts";
import { vainVariable } from "../control/vain-settings.ts";
import { systemTimers } from "../core/clock.ts";
import { createLog } from "../core/log.ts";
import { createGateway } from "../gateway/app.ts";
import { staleCertificate } from "../gateway/certificate.ts";
import { webhookBody } from "../gateway/fal/webhook-body.ts";
import { originOf } from "./running-server.ts";
import { followModelFiles } from "./serve/follow-model-files.ts";
import { noteAddress } from "./serve/noted-address.ts";
import { statusOf } from "./serve/status-line.ts";
import { aborted, type StopSignals } from "./serve/stop-signals.ts";
import { createSystemd, type Systemd } from "./serve/systemd.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note } from "./terminal.ts";
import { versionFacts } from "./version.ts";

/** `signals` are listened for since before this code was read: a stop may come while it is. */
export const serve = (signals: StopSignals) =>
  withSettings(new Command("serve"), ["data", "host", "port", "device"])
    .description(
      "Serves the models until it is told to stop (SIGINT, SIGTERM, or its terminal is closed; a second one stops at once). SIGHUP to a service has it read its model files anew.",
    )
    .action(async (flags: SettingsFlags) => {
      // Whatever the account's own mask: results, uploads and the database are nobody else's business.
      process.umask(0o077);
      const { settings, unknownVariables } = settingsOf(flags);
      const log = createLog({ level: settings.log.level, format: logFormat(settings) });
      for (const { what, remedy } of unknownVariables.map(vainVariable)) log.warn(what, { remedy });
      const stale = staleCertificate(settings.tls, new Date());
      if (stale) log.warn(stale.what, { remedy: stale.remedy });
      const stopped = serveUntil(signals, { settings, log, webhookBody });
      await Promise.race([stopped, signals.atOnce]);
    });

const isTerminal = () => process.stderr.isTTY ?? false;
const logFormat = ({ log }: Settings) => (log.format !== "auto" ? log.format : isTerminal() ? "text" : "json");

async function serveUntil({ drain: stop, onReload }: StopSignals, parts: ApplianceParts): Promise<void> {
  const { log } = parts;
  using systemd = createSystemd({ service: serviceFacts(), timers: systemTimers, log });
  systemd.starting("Starting: tries the devices and brings the database up to date");
  // While devices are tried it holds nothing yet that would have to be given back.
  const appliance = await Promise.race([createAppliance(parts), aborted(stop)]);
  if (appliance) await serveWith(appliance, { stop, onReload, systemd });
  else log.info("stopped before it was ready", { signal: stop.reason });
}

type Surroundings = { stop: AbortSignal; systemd: Systemd } & Pick<StopSignals, "onReload">;

/** Listens first, so that a taken port is told before any job is touched; /ready says 503 until all is up. */
async function serveWith(appliance: Appliance, { stop, onReload, systemd }: Surroundings): Promise<void> {
  const { settings, log } = appliance;
  let isReady = false;
  let following: Disposable | undefined;
  try {
    const gateway = createGateway({ ...appliance, version: versionFacts().version, isReady: () => isReady });
    const listening = gateway.listen({ host: settings.host, port: settings.port, signal: stop, tls: settings.tls });
    using _noted = noteAddress(settings.data, { ...listening, isTls: settings.tls.cert !== "" });
    await appliance.start();
    if (!stop.aborted) {
      isReady = true;
      systemd.ready({ status: () => statusOf(appliance), looked: appliance.scheduler.looked });
      announce(appliance, originOf({ ...listening, tls: settings.tls }));
      appliance.supply.fetchAhead(operatorModels(appliance));
      following = followModelFiles(appliance, onReload);
    }
    await aborted(stop);
    isReady = false;
    following?.[Symbol.dispose]();
    systemd.stopping("Stopping: running jobs go back to the queue");
    log.info("stopping: running jobs go back to the queue; once more stops at once", { signal: stop.reason });
    await listening.closed;
  } finally {
    await appliance.stop();
  }
}

function announce({ settings, device, catalog, log }: Appliance, origin: string): void {
  const facts = {
    url: origin,
    docs: `${origin}/swagger`,
    device: `${device.id} (${device.name})`,
    models: catalog.list().length,
    key: adminKeyFile(settings.data),
  };
  log.info("ready", facts);
  if (!isTerminal()) return;
  note(`\n  Forecourt ${versionFacts().version}`);
  for (const [name, value] of Object.entries(facts)) note(`  ${name.padEnd(8)}${value}`);
  note("");
}
