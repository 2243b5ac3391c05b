// One realtime connection: inputs come in as they may, results leave in order, one at a time.
import type { CatalogEntry } from "../../../control/catalog/catalog.ts";
import type { Jobs } from "../../../control/jobs/jobs.ts";
import { ForecourtError } from "../../../core/errors.ts";
import type { TObject } from "../../../core/schema.ts";
import type { Milliseconds } from "../../../core/units.ts";
import { failureBody, statusOf } from "../../failures.ts";
import type { ReportFailure } from "../../report.ts";
import { NORMAL_CLOSE, type Socket, type SocketEvents, UNSENT_BYTES } from "../../socket.ts";
import type { Call } from "../call.ts";
import type { SubmissionOptions } from "../submission-options.ts";
import { type FinishedJob, failureOf, publicOutput } from "../translate.ts";
import { untilFinished } from "../until-finished.ts";
import type { WaitingRoom } from "../waiting-room.ts";
import { controlFrame, type Frame, readFrame, resultFrame } from "./frames.ts";
import { createInbox } from "./inbox.ts";
import { withRawMedia } from "./raw-media.ts";

export type SessionParts = {
  jobs: Pick<Jobs, "submit" | "untilEnd" | "abandon">;
  /** The model as it is now, and what a message may say. Throws where it is gone. */
  present: () => { entry: CatalogEntry; frame: TObject };
  endpoint: string;
  call: Pick<Call, "caller" | "roots">;
  options: SubmissionOptions;
  /** Its id, for the log and for what the runner keeps between messages. */
  id: string;
  /** Inputs that may wait. */
  buffering: number;
  /** Without an input for this long the connection is closed. */
  timeout: Milliseconds;
  /** Is the caller's key still good? */
  isWelcome: () => boolean;
  room: WaitingRoom;
  report: ReportFailure;
};

/** Inputs that wait, together: a few large pictures. */
const WAITING_BYTES = 64 * 1024 * 1024;
const NO_ROOM = "The inputs that wait on all connections fill the memory for them. Send this one again later.";
/** How soon an idle connection ends after its key was revoked. */
const WELCOME_CHECK_MS = 2_000;

export function createSession(parts: SessionParts): SocketEvents {
  const inbox = createInbox<Frame>({ most: parts.buffering, mostBytes: WAITING_BYTES, room: parts.room });
  const left = new AbortController();
  let socket: Socket | undefined;
  let isBusy = false;
  let patience: ReturnType<typeof setTimeout> | undefined;
  let check: ReturnType<typeof setInterval> | undefined;

  const bye = (reason: string, frame?: string) => {
    if (frame !== undefined) socket?.send(frame);
    socket?.close(NORMAL_CLOSE, reason);
    inbox.clear();
  };
  const isTurnedAway = () => {
    if (parts.isWelcome()) return false;
    bye("Unauthorized", controlFrame.unauthorized());
    return true;
  };
  const waitForInput = () => {
    clearTimeout(patience);
    const seconds = parts.timeout / 1000;
    patience = setTimeout(() => {
      bye("TIMEOUT", controlFrame.error("TIMEOUT", `No input for ${seconds} seconds.`));
    }, parts.timeout);
  };
  const work = async (to: Socket) => {
    if (isBusy) return;
    isBusy = true;
    clearTimeout(patience);
    while (!left.signal.aborted && to.unsent() < UNSENT_BYTES) {
      const frame = inbox.take();
      if (frame === undefined) break;
      const fate = await answer(frame, to, { ...parts, signal: left.signal });
      if (fate === "over") bye("INTERNAL_ERROR");
    }
    isBusy = false;
    if (!left.signal.aborted) waitForInput();
  };

  return {
    opened(opened) {
      socket = opened;
      waitForInput();
      check = setInterval(isTurnedAway, WELCOME_CHECK_MS);
    },
    received(frame) {
      if (!socket || left.signal.aborted || isTurnedAway()) return;
      if (!inbox.put(frame, frame.length)) socket.send(controlFrame.error("UNAVAILABLE", NO_ROOM));
      void work(socket);
    },
    drained() {
      if (socket) void work(socket);
    },
    closed() {
      clearTimeout(patience);
      clearInterval(check);
      inbox.clear();
      left.abort();
    },
  };
}

type Answering = SessionParts & { signal: AbortSignal };

/** Never throws. "over": the connection is of no further use. */
async function answer(frame: Frame, socket: Socket, parts: Answering): Promise<"over" | "more"> {
  const startedAt = performance.now();
  try {
    const { request_id: requestId, ...input } = readFrame(frame);
    const job = await run(input, parts);
    if (job === undefined) return "more";
    if (job.status !== "done") throw ForecourtError.from(failureOf(job));
    const kind = typeof frame === "string" ? "text" : "binary";
    const output = publicOutput(job.output, job.files, parts.call.roots);
    const wantsUrls = kind === "text" || input.sync_mode === true;
    const result = {
      ...((wantsUrls ? output : withRawMedia(output)) as object),
      ...(requestId !== undefined && { request_id: requestId }),
    };
    socket.send(resultFrame(result, kind));
    socket.send(controlFrame.timings((performance.now() - startedAt) / 1000));
    return "more";
  } catch (thrown) {
    if (parts.signal.aborted) return "over";
    return complain(thrown, socket, parts);
  }
}

/** A caller's mistake, or a box that is busy, costs one message; a broken model the connection. */
function complain(thrown: unknown, socket: Socket, { report, id }: Answering): "over" | "more" {
  const failure = report(thrown, id);
  const isOver = statusOf(failure) >= 500;
  const { detail } = failureBody(failure);
  const reason = isOver && typeof detail === "string" ? detail : failure.message;
  socket.send(controlFrame.error(isOver ? "INTERNAL_ERROR" : failure.code.toUpperCase(), reason, { detail }));
  return isOver ? "over" : "more";
}

/** Undefined when the client has gone in the meantime. */
async function run(input: Record<string, unknown>, parts: Answering): Promise<FinishedJob | undefined> {
  const { jobs, endpoint, call, options, id, signal } = parts;
  const { entry, frame } = parts.present();
  const job = await jobs.submit({
    ...options,
    model: entry.model,
    endpoint,
    key: call.caller.id,
    // Results leave by this connection: nothing is written to disk.
    input: "sync_mode" in frame.properties ? { ...input, sync_mode: true } : input,
    schema: frame,
    rejectInvalid: true,
    retry: false,
    durable: false,
    wishes: { ...options.wishes, session: id },
  });
  return await untilFinished(jobs, job.id, signal);
}
