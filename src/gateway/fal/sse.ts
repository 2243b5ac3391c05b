// Server-sent events: one chunk an event (fal's JavaScript client decodes chunks one by one), comments against silence.
import { onAbort } from "../on-abort.ts";

/** Proxies buffer event streams unless told not to. */
const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

export const sseData = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
export const sseEvent = (name: string, value: unknown) => `event: ${name}\n${sseData(value)}`;
export const sseComment = (text: string) => `: ${text}\n\n`;

export type EventStream = {
  /** Yields whole events, as the functions above write them. */
  events: AsyncGenerator<string>;
  /** Aborted here when the client leaves; `events` should end then. */
  left: AbortController;
  keepAliveMs: number;
  headers: Record<string, string>;
  /** The last event of a stream whose `events` threw. */
  onFailure(thrown: unknown): string;
};

export function sseResponse({ events, left, keepAliveMs, headers, onFailure }: EventStream): Response {
  const encoder = new TextEncoder();
  let keepAlive: ReturnType<typeof setInterval> | undefined;
  const end = (reason?: unknown) => {
    clearInterval(keepAlive);
    if (!left.signal.aborted) left.abort(reason);
  };
  const next = async (): Promise<IteratorResult<string, unknown>> => {
    try {
      return await events.next();
    } catch (thrown) {
      return left.signal.aborted ? { done: true, value: undefined } : { done: false, value: onFailure(thrown) };
    }
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const comment = (text: string) => controller.enqueue(encoder.encode(sseComment(text)));
      comment("open"); // headers leave with the first bytes
      keepAlive = setInterval(() => comment("keep-alive"), keepAliveMs);
    },
    async pull(controller) {
      const { done, value } = await next();
      if (!done) return controller.enqueue(encoder.encode(value));
      end();
      controller.close();
    },
    cancel: end,
  });
  return new Response(body, { headers: { ...HEADERS, ...headers } });
}

/** Follows the request: aborted when its client disconnects, even before the stream has begun. */
export function leftWith({ signal }: Request): AbortController {
  const left = new AbortController();
  onAbort(signal, (reason) => left.abort(reason));
  return left;
}
