// A fleet of real runner processes whose events a test can wait for, and the orders to give it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FleetEvent } from "../../src/control/fleet/events.ts";
import { createFleet, type Fleet, type FleetOptions } from "../../src/control/fleet/fleet.ts";
import type { Device } from "../../src/core/device.ts";
import { asId, type BatchId, type DeviceId, newBatchId, newRunnerId, type RunnerId } from "../../src/core/ids.ts";
import { silentLog } from "../../src/core/log.ts";
import { parse } from "../../src/core/schema.ts";
import { bytes, type Milliseconds, milliseconds } from "../../src/core/units.ts";
import { type Model, modelSchema } from "../../src/engine/model.ts";
import type { RunJob } from "../../src/engine/protocol.ts";

export const cpu: Device = {
  id: asId<DeviceId>("cpu"),
  kind: "cpu",
  index: 0,
  name: "test processor",
  memory: { total: bytes(2 ** 33), free: bytes(2 ** 32) },
};

/** A model of the echo pipeline, which needs no weights; `more` overrides fields of its file. */
export const echoModel = (more: Record<string, unknown> = {}): Model =>
  parse(modelSchema, {
    id: "forecourt/echo",
    title: "Echo",
    description: "Gives its input back",
    category: "test",
    licence: { id: "Apache-2.0", commercial: true },
    pipeline: "echo",
    source: { path: "/nonexistent" },
    memory: { weights: 0, working: 1_000_000 },
    price: { unit: "request", amount: 0, currency: "USD" },
    limits: {},
    ...more,
  });

type EventOf<Type extends FleetEvent["type"]> = Extract<FleetEvent, { type: Type }>;

export type WatchedFleet = {
  fleet: Fleet;
  /** Everything that happened, oldest first. */
  events: FleetEvent[];
  /** Every file of the test; removed at its end. */
  folder: string;
  /** The next event of a type (of one runner) that was not handed out yet; the past counts. Throws when it is gone. */
  next<Type extends FleetEvent["type"]>(type: Type, runner?: RunnerId): Promise<EventOf<Type>>;
  /** Loads a model and resolves when it is ready. */
  start(model?: Model, weights?: string): Promise<{ runner: RunnerId; pid: number }>;
  run(
    runner: RunnerId,
    inputs: Record<string, unknown>[],
    more?: { timeout?: Milliseconds; media?: RunJob["media"] },
  ): BatchId;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function watchFleet(options: Partial<FleetOptions> = {}): Promise<WatchedFleet> {
  const folder = await mkdtemp(join(tmpdir(), "forecourt-fleet-"));
  const fleet = createFleet({ runtime: join(folder, "runtime"), threads: 1, log: silentLog, ...options });
  const events: FleetEvent[] = [];
  const handedOut = new Set<FleetEvent>();
  let { promise: news, resolve: wake } = Promise.withResolvers<void>();
  fleet.subscribe((event) => {
    events.push(event);
    wake();
    ({ promise: news, resolve: wake } = Promise.withResolvers<void>());
  });

  async function next<Type extends FleetEvent["type"]>(type: Type, runner?: RunnerId): Promise<EventOf<Type>> {
    const isMeant = (event: FleetEvent) => !handedOut.has(event) && (runner === undefined || event.runner === runner);
    for (;;) {
      const found = events.find((event): event is EventOf<Type> => event.type === type && isMeant(event));
      if (found) {
        handedOut.add(found);
        return found;
      }
      const gone = events.find((event) => event.type === "gone" && isMeant(event));
      if (gone) throw new Error(`waited for "${type}", but: ${JSON.stringify(gone)}`);
      await news;
    }
  }

  return {
    fleet,
    events,
    folder,
    next,
    async start(model = echoModel(), weights = folder) {
      const runner = newRunnerId();
      fleet.load({ runner, model, device: cpu, weights });
      await next("ready", runner);
      const pid = fleet.runners().find(({ id }) => id === runner)?.pid;
      if (pid === undefined) throw new Error("a ready runner without a process");
      return { runner, pid };
    },
    run(runner, inputs, { timeout = milliseconds(60_000), media = {} } = {}) {
      const batch = newBatchId();
      fleet.run({ runner, batch, timeout, jobs: inputs.map((input) => ({ input, directory: folder, media })) });
      return batch;
    },
    async [Symbol.asyncDispose]() {
      await fleet.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether a process exists and is more than an unreaped entry of the process table. */
export async function isRunning(pid: number): Promise<boolean> {
  const status = await Bun.file(`/proc/${pid}/status`)
    .text()
    .catch(() => "");
  return status !== "" && !/^State:\s+Z/m.test(status);
}
