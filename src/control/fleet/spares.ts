// Runner processes that were started ahead: a load takes one and does not wait for a process to start.

import type { Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import { type Milliseconds, milliseconds } from "../../core/units.ts";
import type { FromRunner } from "../../engine/protocol.ts";
import { environmentOf } from "./environment.ts";
import { type Child, type SpawnOptions, spawnRunner } from "./spawn.ts";

/** What the one who takes a process hears of it from then on. */
export type Handlers = Pick<SpawnOptions, "onMessage" | "onLine" | "onBroken" | "onExit">;

export type Spares = {
  /** A process that listens already and sees this device and no other; the caller's from now on. */
  take(device: Device, handlers: Handlers): Child | undefined;
  /** Starts what is missing for this device, a little later: what is going on now comes first. */
  fill(device: Device): void;
  /** Has one of them read files into the page cache; false when none is there to do it. */
  readAhead(folder: string): boolean;
  /** Ends those that nobody took; resolves when they are gone. */
  stop(): Promise<void>;
};

export type SparesParts = {
  command: readonly string[];
  runtime: string;
  libraries: string | undefined;
  /** For each device. */
  count: number;
  timers: Timers;
};

type Spare = { child: Child; isListening: boolean; handlers: Handlers | undefined; gone: Promise<void> };

/** Long enough for the model that was just loaded to answer its first request undisturbed. */
const REST: Milliseconds = milliseconds(1_500);

export function createSpares({ command, runtime, libraries, count, timers }: SparesParts): Spares {
  const byPlace = new Map<string, Set<Spare>>();
  const planned = new Set<string>();
  let isStopped = false;
  const placeOf = (device: Device) => JSON.stringify(environmentOf(device, libraries));
  const at = (place: string) => {
    const known = byPlace.get(place) ?? new Set<Spare>();
    byPlace.set(place, known);
    return known;
  };

  function start(device: Device, spares: Set<Spare>): void {
    const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
    const hear = (message: FromRunner) => {
      if (spare.handlers) return spare.handlers.onMessage(message);
      if (message.type === "hello") {
        spare.isListening = true;
        spare.child.send({ type: "prepare", device, runtime, libraries });
      }
      if (message.type === "fatal") spares.delete(spare);
    };
    const discard = () => spares.delete(spare) && spare.child.kill();
    const spare: Spare = {
      isListening: false,
      handlers: undefined,
      gone,
      child: spawnRunner({
        command: [...command, "spare"],
        environment: environmentOf(device, libraries),
        onMessage: (message) => hear(message),
        onLine: (line) => spare.handlers?.onLine(line),
        onBroken: (why) => (spare.handlers ? spare.handlers.onBroken(why) : discard()),
        onExit(exit) {
          spares.delete(spare);
          leave();
          spare.handlers?.onExit(exit);
        },
      }),
    };
    spares.add(spare);
  }

  return {
    take(device, handlers) {
      const spares = at(placeOf(device));
      const spare = [...spares].find(({ isListening }) => isListening);
      if (!spare) return undefined;
      spares.delete(spare);
      spare.handlers = handlers;
      return spare.child;
    },
    fill(device) {
      const place = placeOf(device);
      if (planned.has(place) || count === 0) return;
      planned.add(place);
      timers.after(REST, () => {
        planned.delete(place);
        const spares = at(place);
        try {
          while (!isStopped && spares.size < count) start(device, spares);
        } catch {
          // No process can be made now: loads start their own, and say so.
        }
      });
    },
    readAhead(folder) {
      const spare = [...byPlace.values()].flatMap((spares) => [...spares]).find(({ isListening }) => isListening);
      spare?.child.send({ type: "read-ahead", folder });
      return spare !== undefined;
    },
    async stop() {
      isStopped = true;
      const left = [...byPlace.values()].flatMap((spares) => [...spares]);
      for (const { child } of left) child.kill();
      await Promise.all(left.map(({ gone }) => gone));
    },
  };
}
