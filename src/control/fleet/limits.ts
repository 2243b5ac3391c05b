// How long the fleet waits for a runner before it ends one by force.
import { type Milliseconds, milliseconds } from "../../core/units.ts";

export type FleetLimits = {
  /** From the start of the process until its model is loaded. */
  start: Milliseconds;
  /** Between two messages while a batch runs; longer than the slowest step of any model on any device. */
  silence: Milliseconds;
  /** From `cancel` until the batch is over. */
  cancel: Milliseconds;
  /** From `stop` until the process is gone. */
  stop: Milliseconds;
};

/**
 * A start reads tens of gigabytes from a slow disk; one step of a large model on a few cores takes minutes, while the
 * batch as a whole is bounded by its own timeout.
 */
export const defaultLimits: FleetLimits = {
  start: milliseconds(15 * 60_000),
  silence: milliseconds(5 * 60_000),
  cancel: milliseconds(30_000),
  stop: milliseconds(3_000),
};
