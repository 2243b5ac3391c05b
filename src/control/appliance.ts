// The composition root: builds all of control, returns it with start() and stop().
import type { Device } from "../core/device.ts";
import type { Log } from "../core/log.ts";
import type { Catalog } from "./catalog/catalog.ts";
import type { Fleet } from "./fleet/fleet.ts";
import type { Hardware } from "./hardware/detect.ts";
import type { Jobs } from "./jobs/jobs.ts";
import type { Keys } from "./keys/keys.ts";
import type { Settings } from "./settings.ts";
import type { Files } from "./storage/files.ts";

export type Appliance = {
  settings: Settings;
  log: Log;
  hardware: Hardware;
  /** The device that models run on. */
  device: Device;
  catalog: Catalog;
  keys: Keys;
  jobs: Jobs;
  files: Files;
  fleet: Fleet;
  /** Recovers the queue and begins to schedule. */
  start(): Promise<void>;
  /** Running jobs go back to the queue; no child process is left. */
  stop(): Promise<void>;
};
