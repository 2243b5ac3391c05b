// One run through a server that is up: its loaded models, its queue, its log.
import type { CatalogEntry } from "../../control/catalog/catalog.ts";
import type { Download } from "../../control/weights/supply.ts";
import { ForecourtError } from "../../core/errors.ts";
import { linesOf } from "../lines.ts";
import type { Progress } from "../progress.ts";
import type { PublishedDownload } from "../ps.ts";
import { type RunningServer, unlessNew } from "../running-server.ts";
import { tellingOfDownload } from "./download.ts";
import type { Outcome } from "./outcome.ts";

export type Order = {
  entry: CatalogEntry;
  /** The id or alias that the model was asked for by. */
  endpoint: string;
  input: Record<string, unknown>;
  progress: Progress;
  /** Cancels the run. */
  signal: AbortSignal;
};

/**
 * The streaming face tells the progress and, when this process goes away, cancels the job; the result is then read from
 * the queue's face, whose headers tell device and timing.
 */
export async function runThroughServer(server: RunningServer, order: Order): Promise<Outcome> {
  const { entry, endpoint, input, progress, signal } = order;
  progress.show(`waiting for ${server.origin}`);
  try {
    const look = (until: AbortSignal) => downloadsOf(server, until);
    const requestId = await tellingOfDownload({ look, model: entry.model.id, progress }, async (began) => {
      // Answered when the run begins.
      const asked = server.ask(`/run/${endpoint}/stream`, { method: "POST", body: input, signal });
      const stream = await asked.catch((error: unknown) => {
        throw unlessNew(endpoint, error);
      });
      began();
      for await (const { at, of } of progressOf(stream)) progress.show("running", { at, of });
      return stream.headers.get("x-fal-request-id") ?? "";
    });
    const result = await server.ask(`/queue/${appOf(endpoint)}/requests/${requestId}`, { signal });
    return await outcomeOf(result, { requestId, signal });
  } catch (thrown) {
    if (signal.aborted) throw new ForecourtError("client_cancelled", "The run was cancelled.");
    throw thrown;
  }
}

async function downloadsOf(server: RunningServer, signal: AbortSignal): Promise<Download[]> {
  const answer = await server.ask("/admin/v1/status", { signal });
  const { downloads } = (await answer.json()) as { downloads: PublishedDownload[] }; // our own server's answer
  return downloads.map(({ model, bytes, wanted_bytes, notice }) => ({
    ...{ model, at: bytes, of: wanted_bytes },
    ...(notice !== null && { notice }),
  }));
}

/** fal's request URLs have the first two parts of the endpoint id only. */
const appOf = (model: string) => model.split("/").slice(0, 2).join("/");

async function outcomeOf(
  result: Response,
  { requestId, signal }: { requestId: string; signal: AbortSignal },
): Promise<Outcome> {
  const device = result.headers.get("x-forecourt-device");
  const dtype = result.headers.get("x-forecourt-dtype");
  const timing = result.headers.get("x-forecourt-timing");
  return {
    requestId,
    output: await result.json(),
    ...(device !== null && { device }),
    ...(dtype !== null && { dtype }),
    ...(timing !== null && { timing }),
    open: async (url) => (await fetch(url, { signal })).bytes(),
  };
}

/** The server sends progress as comments: `: progress 3/20`. The stream's events are read past, up to its end. */
export async function* progressOf(stream: Response): AsyncGenerator<{ at: number; of: number }> {
  if (!stream.body) return;
  for await (const line of linesOf(stream.body)) {
    const [, at, of] = /^: progress (\d+)\/(\d+)$/.exec(line) ?? [];
    if (at !== undefined && of !== undefined) yield { at: Number(at), of: Number(of) };
  }
}
