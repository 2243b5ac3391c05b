// What tests of downloads share: a folder that goes away, timers that do not wait, and one pull with small pieces.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PullEvent } from "../../../src/control/weights/progress.ts";
import { type PullOrder, pull } from "../../../src/control/weights/pull.ts";
import type { Timers } from "../../../src/core/clock.ts";
import { ForecourtError } from "../../../src/core/errors.ts";
import { milliseconds } from "../../../src/core/units.ts";
import type { FakeHub } from "../../support/fake-hub.ts";

/** Silence of a connection that a test means to be noticed. No wait is a fraction, which tells the two apart. */
export const STALL = milliseconds(400.5);
/** Where no connection falls silent: a loaded machine must not look like one. */
const PATIENT = milliseconds(60_000.5);
export const PIECE = 16 * 1024;

export function scratch() {
  const path = mkdtempSync(join(tmpdir(), "forecourt-weights-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Waits are noted and over at once; only the watch over silent connections really waits. */
export function hastyTimers(stall = PATIENT) {
  const waits: number[] = [];
  const timers: Timers = {
    after(delay, call) {
      if (delay !== stall) waits.push(delay);
      const timer = setTimeout(call, delay === stall ? delay : 0);
      return () => clearTimeout(timer);
    },
  };
  return { timers, waits };
}

export type Recorded = { events: PullEvent[]; waits: number[] };

/** A pull from the fake hub; `record` collects what it told and how long it would have waited. */
export function pullFrom(
  hub: Pick<FakeHub, "endpoint">,
  { access, tuning, ...order }: Pick<PullOrder, "source" | "data"> & Partial<PullOrder>,
  record: Recorded = { events: [], waits: [] },
) {
  const stall = tuning?.stall ?? PATIENT;
  const { timers, waits } = hastyTimers(stall);
  record.waits = waits;
  return pull({
    ...order,
    access: { endpoint: hub.endpoint, ...access },
    tuning: { pieceBytes: PIECE, reserveBytes: 0, stall, timers, ...tuning },
    onProgress: (event) => record.events.push(event),
  });
}

/** The error that a promise ends with; fails if it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<ForecourtError> {
  const outcome = await promise.then(
    () => "it succeeded",
    (error: unknown) => error,
  );
  if (outcome instanceof ForecourtError) return outcome;
  throw outcome instanceof Error ? outcome : new Error(`no ForecourtError: ${outcome}`);
}

export const namesBelow = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort();
