// fal's two ways to call a model by WebSocket, put together.
import { endOf } from "../../control/keys/live-key.ts";
import type { Settings } from "../../control/settings.ts";
import type { Clock } from "../../core/clock.ts";
import type { Authenticate } from "../authenticate.ts";
import type { Face } from "./call.ts";
import { createHttpOverSocket } from "./http-over-socket.ts";
import { createRealtime, type RealtimeParts } from "./realtime/realtime.ts";
import { createSockets, type Sockets } from "./sockets.ts";
import { createWaitingRoom } from "./waiting-room.ts";

export type FalSocketsParts = Omit<RealtimeParts, "sessionSeconds" | "clock" | "room"> & {
  run: Face;
  authenticate: Authenticate;
  settings: Pick<Settings, "publicUrl" | "realtime">;
  clock: Clock;
};

export function createFalSockets({ run, authenticate, settings, ...parts }: FalSocketsParts): Sockets {
  const { keys, clock, report } = parts;
  const { sessionSeconds } = settings.realtime;
  const room = createWaitingRoom();
  return createSockets({
    faces: {
      realtime: createRealtime({ ...parts, sessionSeconds, room }),
      http: createHttpOverSocket({
        run,
        room,
        report,
        isWelcome: ({ caller }) => endOf(keys.find(caller.id), clock.now()) === undefined,
      }),
    },
    authenticate,
    publicUrl: settings.publicUrl,
    report,
  });
}
