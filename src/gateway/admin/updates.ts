// New revisions of models, for admins: looked for now, with what came of it as the last event of a stream.
import type { Appliance } from "../../control/appliance.ts";
import type { Update } from "../../control/updates/update-store.ts";
import { ForecourtError } from "../../core/errors.ts";
import { failureBody } from "../failures.ts";
import { leftWith, sseData, sseEvent, sseResponse } from "../fal/sse.ts";
import type { ReportFailure } from "../report.ts";
import { newRequestId } from "../request-id.ts";

type Parts = Pick<Appliance, "catalog" | "updates"> & { keepAliveMs: number; report: ReportFailure };

/** `path` is `<model>/update`, or `update` for all models that follow a branch. Goes on when the caller leaves. Throws `not_found`. */
export function updateModels(
  { catalog, updates, keepAliveMs, report }: Parts,
  request: Request,
  path: string,
): Response {
  const match = catalog.match(path);
  if (path !== "update" && match?.rest !== "/update")
    throw catalog.refusal(path) ?? new ForecourtError("not_found", `There is no ${path} here.`);
  const entry = match && catalog.find(match.entry.model.id);
  async function* events(): AsyncGenerator<string> {
    yield sseData({ state: "looking" });
    yield sseData({ state: "done", updates: entry ? await updates.update(entry) : await updates.updateAll() });
  }
  return sseResponse({
    events: events(),
    left: leftWith(request),
    keepAliveMs,
    headers: {},
    onFailure: (thrown) => sseEvent("error", failureBody(report(thrown, newRequestId()))),
  });
}

export const publishedUpdate = ({ model: _, at, ...update }: Update) => ({ ...update, at: new Date(at).toISOString() });
