// Which models had to make room, and when and where they may come back (reload.ts): at most a fifth of a device's time goes into it.
// The simulator keeps them in the same way.
import type { DeviceId, ModelId, RunnerId } from "../../core/ids.ts";
import { type Instant, instant } from "../../core/units.ts";
import type { Action } from "./situation.ts";

export type ReloadTurns = {
  /** Models that had to make room, in the order in which they first did. */
  models: ReadonlySet<ModelId>;
  /** Runners that load without a job and are not ready yet. */
  reloading(): ReadonlySet<RunnerId>;
  isDue(now: Instant): boolean;
  /** When that is next; in the past where it is due. */
  next(): Instant;
  /** Of these devices the ones that do not rest. */
  rested(devices: readonly { id: DeviceId }[], now: Instant): ReadonlySet<DeviceId>;
  forget(model: ModelId): void;
  /** Of one look. */
  decided(
    actions: readonly Action[],
    known: { now: Instant; modelOf: (runner: RunnerId) => ModelId | undefined },
  ): void;
  begun(runner: RunnerId, device: DeviceId): void;
  ready(runner: RunnerId, known: { now: Instant; loadMs: number }): void;
  gone(runner: RunnerId, now: Instant): void;
};

const CHECK_MS = 10_000;
/** A device rests for so many times what the load took. */
const REST_LOADS = 4;

export function createReloadTurns(): ReloadTurns {
  const hadToGo = new Set<ModelId>();
  const starting = new Map<RunnerId, DeviceId>();
  /** Those that end so that there is room. */
  const making = new Set<RunnerId>();
  const restUntil = new Map<DeviceId, number>();
  let nextAt = 0;
  const isDue = (now: Instant) => hadToGo.size > 0 && now >= nextAt;
  return {
    models: hadToGo,
    reloading: () => new Set(starting.keys()),
    isDue,
    next: () => instant(nextAt),
    rested: (devices, now) => new Set(devices.flatMap(({ id }) => ((restUntil.get(id) ?? 0) <= now ? [id] : []))),
    forget: (model) => void hadToGo.delete(model),
    decided(actions, { now, modelOf }) {
      for (const action of actions) {
        if (action.type !== "evict") continue;
        const model = modelOf(action.runner);
        if (model !== undefined) hadToGo.add(model);
        if (action.isReload) making.add(action.runner);
      }
      if (now >= nextAt) nextAt = now + CHECK_MS;
    },
    begun: (runner, device) => void starting.set(runner, device),
    ready(runner, { now, loadMs }) {
      const device = starting.get(runner);
      starting.delete(runner);
      if (device !== undefined) restUntil.set(device, now + REST_LOADS * loadMs);
    },
    gone(runner, now) {
      starting.delete(runner);
      // There is the room.
      if (making.delete(runner) && making.size === 0) nextAt = now;
    },
  };
}
