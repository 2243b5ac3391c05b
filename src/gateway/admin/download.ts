// How far the download of a model's weights is, as server-sent events.
import type { Appliance } from "../../control/appliance.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Model } from "../../engine/model.ts";
import { failureBody } from "../failures.ts";
import { leftWith, sseData, sseEvent, sseResponse } from "../fal/sse.ts";
import type { ReportFailure } from "../report.ts";
import { newRequestId } from "../request-id.ts";

type Parts = Pick<Appliance, "catalog" | "supply"> & { keepAliveMs: number; report: ReportFailure };

/** `path` is `<model>/download`. Throws `not_found`. */
export function watchDownload({ catalog, ...box }: Parts, request: Request, path: string): Response {
  const match = catalog.match(path);
  if (match?.rest !== "/download")
    throw catalog.refusal(path) ?? new ForecourtError("not_found", `There is no ${path} here.`);
  const left = leftWith(request);
  return sseResponse({
    events: steps(match.entry.model, { ...box, signal: left.signal }),
    left,
    keepAliveMs: box.keepAliveMs,
    headers: {},
    onFailure: (thrown) => sseEvent("error", failureBody(box.report(thrown, newRequestId()))),
  });
}

type Watching = Pick<Appliance, "supply"> & { signal: AbortSignal };

/** The last event says what is on the disk then. */
async function* steps(model: Model, { supply, signal }: Watching): AsyncGenerator<string> {
  for await (const step of supply.watch(model, signal)) yield sseData({ state: "downloading", ...step });
  const { state, bytes, wantedBytes } = await supply.presenceOf(model);
  yield sseData({ state, at: bytes, of: wantedBytes });
}
