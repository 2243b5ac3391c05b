// Requests over kept connections, one by one or at a rate: a client that takes a third of the time that `fetch` takes, since it runs on the
// processors of what it measures. Answers must name their length.
import type { Socket } from "bun";
import { invariant } from "../../src/core/errors.ts";

export type Wish = { origin: string; path: string; headers?: Record<string, string>; body: unknown };

export type Answer = {
  status: number;
  /** From the moment when the request was handed to the kernel until its answer was whole. */
  ms: number;
  /** What the server says of it that its model took; 0 where it says nothing. */
  modelMs: number;
  /** By which it was sent later than planned: the client's own doing. */
  lateMs: number;
};

/** Rejects when the connection is refused or closed before the answer. */
export type Ask = () => Promise<Answer>;

type Pending = { sentAt: number; received: Buffer; answer: PromiseWithResolvers<Answer> };
type Connection = Socket<{ pending?: Pending | undefined }>;

const NOTHING = Buffer.alloc(0);

export function asking(wish: Wish): Ask {
  const { hostname, port } = new URL(wish.origin);
  const request = wireText(wish);
  const idle: Connection[] = [];
  const connect = () =>
    Bun.connect<{ pending?: Pending | undefined }>({
      ...{ hostname, port: Number(port), data: {} },
      socket: {
        open: (socket) => void socket.setNoDelay(true),
        data(socket, bytes) {
          const { pending } = socket.data;
          invariant(pending, "an answer that nobody asked for");
          pending.received = pending.received.length > 0 ? Buffer.concat([pending.received, bytes]) : bytes;
          const answer = answerIn(pending.received);
          if (!answer) return;
          socket.data.pending = undefined;
          idle.push(socket);
          pending.answer.resolve({ ...answer, ms: performance.now() - pending.sentAt, lateMs: 0 });
        },
        close(socket) {
          const at = idle.indexOf(socket);
          if (at >= 0) idle.splice(at, 1);
          socket.data.pending?.answer.reject(new Error("the server closed the connection"));
        },
        error: (socket, error) => socket.data.pending?.answer.reject(error),
      },
    });
  return async () => {
    const socket = idle.pop() ?? (await connect());
    const answer = Promise.withResolvers<Answer>();
    socket.data.pending = { sentAt: performance.now(), received: NOTHING, answer };
    socket.write(request);
    return await answer.promise;
  };
}

function wireText({ origin, path, headers, body }: Wish): string {
  const text = JSON.stringify(body);
  const fields = {
    Host: new URL(origin).host,
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${text}`;
}

/** Undefined until it is whole. */
function answerIn(received: Buffer): Pick<Answer, "status" | "modelMs"> | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = received.toString("latin1", 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  invariant(length !== undefined, `an answer without a length: ${head}`);
  if (received.length < end + 4 + Number(length)) return undefined;
  const modelMs = Number(/\r\nx-forecourt-timing:.*run=([\d.]+)/i.exec(head)?.[1] ?? 0);
  return { status: Number(head.slice("HTTP/1.1 ".length).slice(0, 3)), modelMs };
}

export async function oneByOne(ask: Ask, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < count) answers.push(await ask());
  return answers;
}

/** Whether answers come or not. Timers are exact to a millisecond, so that some are sent in twos. */
export async function atRate(ask: Ask, perSecond: number, seconds: number): Promise<Answer[]> {
  const pending: Promise<Answer>[] = [];
  const begun = performance.now();
  while (pending.length < perSecond * seconds) {
    const lateMs = performance.now() - (begun + (pending.length * 1000) / perSecond);
    if (lateMs < 0) await Bun.sleep(Math.max(1, -lateMs));
    else pending.push(ask().then((answer) => ({ ...answer, lateMs })));
  }
  return await Promise.all(pending);
}

/** As many as they can. */
export async function together(
  ask: Ask,
  { callers, seconds }: { callers: number; seconds: number },
): Promise<Answer[]> {
  const end = performance.now() + seconds * 1000;
  const answers: Answer[] = [];
  const call = async () => {
    while (performance.now() < end) answers.push(await ask());
  };
  await Promise.all(Array.from({ length: callers }, call));
  return answers;
}
