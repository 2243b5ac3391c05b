// ws.fal.run: requests as messages of one WebSocket, answered in order: start, body, end (fal-protocol.md 2.7).
import { ForecourtError } from "../../core/errors.ts";
import { requireUse } from "../authenticate.ts";
import { failureResponse } from "../failures.ts";
import type { ReportFailure } from "../report.ts";
import { ensureRequestId, newRequestId, REQUEST_ID } from "../request-id.ts";
import { type Message, NORMAL_CLOSE, type Socket, UNSENT_BYTES } from "../socket.ts";
import type { Call, Face } from "./call.ts";
import { controlFrame } from "./realtime/frames.ts";
import type { SocketFace } from "./realtime/realtime.ts";
import type { WaitingRoom } from "./waiting-room.ts";

export type HttpOverSocketParts = {
  run: Face;
  room: WaitingRoom;
  report: ReportFailure;
  /** Is this caller's key still good? */
  isWelcome: (call: Call) => boolean;
};

/** Requests that may wait behind the one that runs. */
const MOST_WAITING = 1_000;

export function createHttpOverSocket({ run, room, report, isWelcome }: HttpOverSocketParts): SocketFace {
  return (call) => {
    requireUse(call.caller, "models:run");
    const left = new AbortController();
    let socket: Socket | undefined;
    let tail = Promise.resolve();
    let waiting = 0;
    let onChange = () => {};

    /** Resolves when the client has read enough of what it has, or has gone. One answer at a time waits for it. */
    const readable = async (to: Socket) => {
      while (!left.signal.aborted && to.unsent() >= UNSENT_BYTES) {
        const { promise, resolve } = Promise.withResolvers<void>();
        onChange = resolve;
        await promise;
      }
    };
    const answer = async (message: Message, to: Socket) => {
      await readable(to);
      if (left.signal.aborted) return;
      const startedAt = performance.now();
      const response = await respond(message);
      await tell(response, to, { startedAt, signal: left.signal, readable });
    };
    const respond = async (message: Message): Promise<Response> => {
      const id = newRequestId();
      try {
        if (!isWelcome(call)) throw new ForecourtError("unauthenticated", "This key is no longer valid.");
        const response = await run({ ...call, request: requestOf(call.request, message, left.signal) });
        ensureRequestId(response);
        return response;
      } catch (thrown) {
        return failureResponse(report(thrown, id), id);
      }
    };

    return {
      opened(opened) {
        socket = opened;
      },
      received(message) {
        if (!socket || left.signal.aborted) return;
        const to = socket;
        if (waiting === MOST_WAITING || !room.enter(message.length)) {
          to.send(controlFrame.error("QUEUE_FULL", QUEUE_FULL));
          to.close(NORMAL_CLOSE, "QUEUE_FULL");
          left.abort();
          return;
        }
        waiting++;
        tail = tail
          .then(() => answer(message, to))
          .catch((thrown) => void report(thrown, newRequestId()))
          .finally(() => {
            waiting--;
            room.leave(message.length);
          });
      },
      drained: () => onChange(),
      closed() {
        left.abort();
        onChange();
      },
    };
  };
}

const QUEUE_FULL = `At most ${MOST_WAITING} requests may wait on one connection, and no more of all connections than the memory for them holds.`;

/** The handshake's fal headers count for each request of the connection. */
function requestOf(handshake: Request, message: Message, signal: AbortSignal): Request {
  const headers = [...handshake.headers].filter(([name]) => name.startsWith("x-fal-") || name.startsWith("x-app-fal-"));
  const body = typeof message === "string" ? message : new Uint8Array(message);
  return new Request(handshake.url.replace(/^ws/, "http"), { method: "POST", headers, body, signal });
}

type Telling = { startedAt: number; signal: AbortSignal; readable(socket: Socket): Promise<void> };

/** Bodies go out as binary frames: a text that happens to look like `start` or `end` would be taken for it. */
async function tell(response: Response, socket: Socket, { startedAt, signal, readable }: Telling): Promise<void> {
  const requestId = response.headers.get(REQUEST_ID);
  const meta = { request_id: requestId, status: response.status };
  socket.send(JSON.stringify({ type: "start", ...meta, headers: Object.fromEntries(response.headers) }));
  let firstByteAt: number | undefined;
  for await (const chunk of response.body ?? []) {
    firstByteAt ??= performance.now();
    await readable(socket);
    if (signal.aborted) return;
    socket.send(chunk);
  }
  await readable(socket);
  const seconds = ((firstByteAt ?? performance.now()) - startedAt) / 1000;
  socket.send(JSON.stringify({ type: "end", ...meta, time_to_first_byte_seconds: seconds }));
}
