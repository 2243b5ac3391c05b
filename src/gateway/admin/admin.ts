// The admin face: keys, models and the state of the box, for keys with the admin scope.
import { Elysia } from "elysia";
import type { Appliance } from "../../control/appliance.ts";
import type { Clock } from "../../core/clock.ts";
import type { Bytes } from "../../core/units.ts";
import { toOpenApiInput } from "../docs/openapi-schema.ts";
import { urlOf } from "../origin.ts";
import { parametersOf } from "../query-parameters.ts";
import { readJson } from "../read-json.ts";
import type { ReportFailure } from "../report.ts";
import { listAlerts } from "./alerts.ts";
import { auditFilters, listAudit } from "./audit.ts";
import { watchDownload } from "./download.ts";
import { createKey, listKeys, newKeySchema, revokeKey } from "./keys.ts";
import { listModels } from "./models.ts";
import { showStatus } from "./status.ts";
import { listWebhooks, replayWebhook, webhookPage } from "./webhooks.ts";

type Parts = Pick<Appliance, "catalog" | "keys" | "jobs" | "webhooks" | "fleet" | "device" | "supply" | "oversight"> & {
  clock: Clock;
  keepAliveMs: number;
  report: ReportFailure;
  bodyLimit: Bytes;
};

export const admin = ({ bodyLimit, clock, ...box }: Parts) => {
  const audit = { audit: box.oversight.audit, keys: box.keys };
  return new Elysia({ prefix: "/admin/v1", name: "admin" })
    .get("/keys", () => listKeys(box.keys, clock.now()), { detail: detail("All keys, without their secrets") })
    .post("/keys", async ({ request }) => createKey(box.keys, await readJson(request, bodyLimit), clock.now()), {
      detail: { ...detail("Make a key; it is shown this once"), requestBody: newKeyBody, ...answered(201) },
    })
    .delete("/keys/:id", ({ params }) => revokeKey(box.keys, params.id, clock.now()), {
      detail: detail("End a key at once and for ever"),
    })
    .get("/models", () => listModels(box.catalog), { detail: detail("All models, with the whole of their files") })
    .get("/models/*", ({ request, params }) => watchDownload(box, request, params["*"]), {
      detail: { ...detail("Progress of a model's download, as events: /admin/v1/models/{id}/download"), hide: true },
    })
    .get("/status", () => showStatus(box), { detail: detail("Device, runners and open jobs") })
    .get("/audit", ({ request }) => listAudit(audit, urlOf(request).searchParams), {
      detail: {
        ...detail("Administrative acts, latest first: who, when, from where, what, result"),
        parameters: auditFilters,
      },
    })
    .get("/alerts", () => listAlerts(box.oversight.alerts), { detail: detail("The latest 100 alerts") })
    .get("/webhooks", ({ request }) => listWebhooks(box.webhooks, urlOf(request).searchParams), {
      detail: { ...detail("Webhooks, latest request first"), parameters: parametersOf(webhookPage) },
    })
    .post("/webhooks/:request_id/replay", ({ params }) => replayWebhook(box.webhooks, params.request_id), {
      detail: { ...detail("Send a webhook again, from now and with all its attempts"), ...answered(202) },
    });
};

const answered = (status: number) => ({ responses: { [status]: { description: "Done" } } });
const detail = (summary: string) => ({ tags: ["Administration"], summary });

const newKeyBody = {
  required: true,
  content: {
    "application/json": { schema: toOpenApiInput(newKeySchema), example: { name: "my app", scope: "api" as const } },
  },
};
