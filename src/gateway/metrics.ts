// The metrics in Prometheus' format, for keys with the scope metrics or admin.
import type { Key } from "../control/keys/key.ts";
import type { Metrics } from "../control/metrics/metrics.ts";
import { requireScope } from "./authenticate.ts";

/** Throws `forbidden` for other keys. */
export async function showMetrics(metrics: Pick<Metrics, "text" | "contentType">, caller: Key): Promise<Response> {
  requireScope(caller, "metrics", "admin");
  return new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } });
}

export const metricsRoute = { detail: { tags: ["Operations"], summary: "Metrics in Prometheus' text format" } };
