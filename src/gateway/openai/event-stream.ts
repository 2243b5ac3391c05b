// OpenAI's event streams: data only, a failure as data too, `[DONE]` at the end; one that fails at once is an ordinary answer.
import type { Call } from "../fal/call.ts";
import { leftWith, sseData, sseEvent, sseResponse } from "../fal/sse.ts";
import type { ReportFailure } from "../report.ts";
import { REQUEST_ID } from "../request-id.ts";
import { openAiFailureBody } from "./failures.ts";

const DONE = "data: [DONE]\n\n";

type Parts = {
  call: Call;
  requestId: string;
  keepAliveMs: number;
  report: ReportFailure;
  /** Values of the events. What it throws before its first value, or before `keepAliveMs` are over, is thrown here. */
  values: (signal: AbortSignal) => AsyncGenerator<unknown>;
  /** false: events have a `type`, which is their name too, and no `[DONE]` follows. */
  isDoneSaid?: boolean;
};

export async function openAiStream({
  call,
  requestId,
  keepAliveMs,
  report,
  values,
  isDoneSaid = true,
}: Parts): Promise<Response> {
  const left = leftWith(call.request);
  const source = values(left.signal);
  const first = source.next();
  await begun(first, keepAliveMs);
  return sseResponse({
    events: textsOf(first, source, isDoneSaid),
    left,
    keepAliveMs,
    headers: { [REQUEST_ID]: requestId },
    onFailure: (thrown) => sseData(openAiFailureBody(report(thrown, requestId))),
  });
}

/** Silence must not last so long that a proxy ends it. */
async function begun(first: Promise<unknown>, patienceMs: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, patienceMs);
  try {
    await Promise.race([first, late]);
  } finally {
    clearTimeout(timer);
  }
}

const textOf = (value: unknown) =>
  typeof value === "object" && value !== null && "type" in value ? sseEvent(String(value.type), value) : sseData(value);

async function* textsOf(
  first: Promise<IteratorResult<unknown>>,
  source: AsyncGenerator<unknown>,
  isDoneSaid: boolean,
): AsyncGenerator<string> {
  try {
    for (let result = await first; !result.done; result = await source.next()) yield textOf(result.value);
    if (isDoneSaid) yield DONE;
  } finally {
    await source.return(undefined);
  }
}
