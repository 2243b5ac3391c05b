// fal.run/{endpoint}/realtime: a WebSocket on which every message is an input and is answered by a result.
import type { Catalog } from "../../../control/catalog/catalog.ts";
import type { Jobs } from "../../../control/jobs/jobs.ts";
import type { Keys } from "../../../control/keys/keys.ts";
import { endOf } from "../../../control/keys/live-key.ts";
import type { Scheduler } from "../../../control/scheduler/scheduler.ts";
import { type Clock, systemClock } from "../../../core/clock.ts";
import { ForecourtError } from "../../../core/errors.ts";
import { milliseconds } from "../../../core/units.ts";
import { requireUse } from "../../authenticate.ts";
import type { ReportFailure } from "../../report.ts";
import { newRequestId } from "../../request-id.ts";
import type { SocketEvents } from "../../socket.ts";
import { type Call, endpointOf } from "../call.ts";
import { submissionOptions } from "../submission-options.ts";
import type { WaitingRoom } from "../waiting-room.ts";
import { createSession } from "./session.ts";

export type RealtimeParts = {
  catalog: Catalog;
  jobs: Pick<Jobs, "submit" | "untilEnd" | "abandon">;
  keys: Pick<Keys, "find">;
  scheduler: Pick<Scheduler, "expect">;
  sessionSeconds: number;
  room: WaitingRoom;
  report: ReportFailure;
  clock?: Clock;
};

/** Throws for a connection that may not be made. */
export type SocketFace = (call: Call) => SocketEvents;

export function createRealtime({ keys, sessionSeconds, clock = systemClock, ...parts }: RealtimeParts): SocketFace {
  return (call) => {
    const present = () => realtimeAt(parts.catalog, call.path);
    const { entry, endpoint } = present();
    requireUse(call.caller, "models:run");
    const { caller } = call;
    // Its first message comes soon, and should find the model warm.
    parts.scheduler.expect(entry);
    return createSession({
      ...parts,
      ...{ present, endpoint, call },
      options: submissionOptions(call.request.headers, new URLSearchParams()),
      id: newRequestId(),
      buffering: bufferingOf(call.query.get("max_buffering")),
      timeout: milliseconds(sessionSeconds * 1000),
      isWelcome: () => endOf(keys.find(caller.id), clock.now()) === undefined,
    });
  };
}

/** Its file may be read anew while connections are open. Throws `not_found` and `model_file_wrong`. */
function realtimeAt(catalog: Catalog, path: string) {
  const { entry, endpoint, rest } = endpointOf(catalog, path);
  const isRealtime = /(^|\/)realtime$/.test(rest === "" ? endpoint : rest);
  const { frame } = entry;
  if (!isRealtime || !frame) throw new ForecourtError("not_found", `${endpoint} has no realtime path ${rest}`);
  return { entry, endpoint, frame };
}

/** fal's clients allow from 1 to 60 and leave it out by default. */
const MOST_BUFFERED = 60;

function bufferingOf(text: string | null): number {
  if (text === null) return MOST_BUFFERED;
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_BUFFERED) return count;
  throw new ForecourtError("bad_request", `max_buffering should be a whole number from 1 to ${MOST_BUFFERED}.`);
}
