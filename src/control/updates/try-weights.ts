// Weights are loaded in a runner of their own and run the model's examples, before anybody else is served with them.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Device } from "../../core/device.ts";
import { ForecourtError, toFailure } from "../../core/errors.ts";
import { newBatchId, newRunnerId } from "../../core/ids.ts";
import { milliseconds } from "../../core/units.ts";
import type { CatalogEntry } from "../catalog/catalog.ts";
import type { FleetEvent } from "../fleet/events.ts";
import { createFleet, type FleetOptions } from "../fleet/fleet.ts";
import { trialInput } from "./trial-input.ts";

export type Trial = {
  entry: CatalogEntry;
  /** The folder that is tried. */
  weights: string;
  device: Device;
  fleet: FleetOptions;
  /** For outputs, which are thrown away. */
  scratch: string;
  signal: AbortSignal;
};

/**
 * Resolves to how many examples were run; a model without any is only loaded, with its warm-ups. Throws what went wrong,
 * in the words of a run that fails.
 */
export async function tryWeights({ entry, weights, device, fleet: options, scratch, signal }: Trial): Promise<number> {
  signal.throwIfAborted();
  const { model, input, warmups } = entry;
  const inputs = model.examples.map((example) => trialInput(input, example));
  const fleet = createFleet({ ...options, spares: { devices: [], count: 0 } });
  const folder = join(scratch, `trial-${newRunnerId()}`);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const run = runInTurn({ inputs, folder, timeout: milliseconds(model.limits.timeoutSeconds * 1000), fleet });
  fleet.subscribe((event) => {
    try {
      if (run(event) === "done") resolve();
    } catch (error) {
      reject(error);
    }
  });
  try {
    fleet.load({ runner: newRunnerId(), model, device, weights, warmups });
    await promise;
    return inputs.length;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await fleet.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type Running = {
  inputs: Record<string, unknown>[];
  folder: string;
  timeout: ReturnType<typeof milliseconds>;
  fleet: Pick<ReturnType<typeof createFleet>, "run">;
};

function runInTurn({ inputs, folder, timeout, fleet }: Running): (event: FleetEvent) => "done" | undefined {
  const left = [...inputs];
  let hasOutput = true; // of no example yet
  return (event) => {
    switch (event.type) {
      case "ready":
      case "idle": {
        if (!hasOutput) throw new ForecourtError("runner_failed", "an example came to its end without a result");
        const input = left.shift();
        if (!input) return "done";
        hasOutput = false;
        const job = { input, directory: folder, media: {}, isTrial: true };
        fleet.run({ runner: event.runner, batch: newBatchId(), jobs: [job], timeout });
        return undefined;
      }
      case "step":
        if (event.step.type !== "output") return undefined;
        hasOutput = true;
        return undefined;
      case "job-failed":
        throw ForecourtError.from(event.failure);
      case "gone":
        throw ForecourtError.from(event.failure ?? { code: "runner_crashed", message: "its runner left" });
      case "job-log":
        return undefined;
    }
  };
}

/** For people. */
export const reasonOf = (error: unknown): string => toFailure(error).message;
