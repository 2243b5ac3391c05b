// One run through a server that is up: its queue, its loaded models, its log.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import type { Progress } from "../progress.ts";
import type { RunningServer } from "../running-server.ts";
import type { Outcome } from "./outcome.ts";

export type Order = {
  entry: CatalogEntry;
  input: Record<string, unknown>;
  progress: Progress;
  /** Cancels the request. */
  signal: AbortSignal;
};

type Status = { status: "IN_QUEUE" | "IN_PROGRESS" | "COMPLETED"; queue_position?: number };

export async function runThroughServer(
  server: RunningServer,
  { entry, input, progress, signal }: Order,
): Promise<Outcome> {
  progress.show(`sending to ${server.origin}`);
  const submitted = await server.ask(`/queue/${entry.model.id}`, { method: "POST", body: input, signal });
  const { request_id: requestId } = (await submitted.json()) as { request_id: string }; // fal's submit answer
  const app = entry.model.id.split("/").slice(0, 2).join("/");
  const request = `/queue/${app}/requests/${requestId}`;
  const cancel = () => void server.ask(`${request}/cancel`, { method: "PUT" }).catch(() => undefined); // it may be over
  signal.addEventListener("abort", cancel, { once: true });
  const updates = await server.ask(`${request}/status/stream`, { signal });
  for await (const status of eventsOf(updates)) progress.show(words(status));
  const result = await server.ask(request, { signal });
  const header = (name: string) => result.headers.get(name) ?? undefined;
  const device = header("x-forecourt-device");
  const timing = header("x-forecourt-timing");
  return {
    requestId,
    output: await result.json(),
    ...(device !== undefined && { device }),
    ...(timing !== undefined && { timing }),
    open: async (url) => (await fetch(url, { signal })).bytes(),
  };
}

const words = ({ status, queue_position: before }: Status) =>
  status === "IN_QUEUE" ? `waiting${before ? `, ${before} before this one` : ""}` : "running";

/** The `data:` of each server-sent event. */
async function* eventsOf(response: Response): AsyncGenerator<Status> {
  let text = "";
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) if (event.startsWith("data:")) yield JSON.parse(event.slice("data:".length));
  }
}
