// A server's model files are read anew when they change, and at SIGHUP.
import type { Appliance } from "../../control/appliance.ts";
import { watchModelFiles } from "../../control/catalog/watch-files.ts";
import { systemTimers } from "../../core/clock.ts";
import { toFailure } from "../../core/errors.ts";
import { milliseconds } from "../../core/units.ts";
import type { StopSignals } from "./stop-signals.ts";

type Followed = Pick<Appliance, "reloadModels" | "settings" | "log">;

/** Until it is disposed nothing else need be done; what is wrong with files is in the log, as is what keeps them from being read. */
export function followModelFiles(appliance: Followed, onReload: StopSignals["onReload"]): Disposable | undefined {
  const { settings, log, reloadModels } = appliance;
  const reload = () => {
    try {
      reloadModels();
    } catch (error) {
      log.error("the model files could not be read anew", { reason: toFailure(error).message });
    }
  };
  onReload(reload);
  const every = milliseconds(settings.models.watchSeconds * 1000);
  if (every === 0) return undefined;
  return watchModelFiles({ data: settings.data, every, timers: systemTimers, onChange: reload });
}
