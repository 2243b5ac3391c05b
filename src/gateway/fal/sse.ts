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
  /** Yields whole events, as the functions above write them. Ended when the client leaves, wherever it is. */
  events: AsyncGenerator<string>;
  /** Aborted here when the client leaves or `events` throws. */
  left: AbortController;
  keepAliveMs: number;
  headers: Record<string, string>;
  /** The last event of a stream whose `events` threw. */
  onFailure(thrown: unknown): string;
};

export function sseResponse({ events, left, keepAliveMs, headers, onFailure }: EventStream): Response {
  const encoder = new TextEncoder();
  let keepAlive: ReturnType<typeof setInterval> | undefined;
  const next = async (): Promise<IteratorResult<string, unknown>> => {
    try {
      return await events.next();
    } catch (thrown) {
      if (left.signal.aborted) return { done: true, value: undefined };
      const value = onFailure(thrown);
      left.abort(thrown);
      return { done: false, value };
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
      clearInterval(keepAlive);
      controller.close();
    },
    async cancel(reason) {
      clearInterval(keepAlive);
      if (!left.signal.aborted) left.abort(reason);
      // While it waits for the client to read, no signal reaches it; what it throws now is nobody's concern, as above.
      await events.return(undefined).catch(() => {});
    },
  });
  return new Response(body, { headers: { ...HEADERS, ...headers } });
}

/** Follows the request: aborted when its client disconnects, even before the stream has begun. */
export function leftWith({ signal }: Request): AbortController {
  const left = new AbortController();
  onAbort(signal, (reason) => left.abort(reason));
  return left;
}
