// The admin face: keys, models and the state of the box, for keys with the admin scope.
import { Elysia } from "elysia";
import type { Appliance } from "../../control/appliance.ts";
import { newKeySchema } from "../../control/keys/new-key.ts";
import type { Clock } from "../../core/clock.ts";
import type { TObject } from "../../core/schema.ts";
import type { Bytes } from "../../core/units.ts";
import { toOpenApiInput } from "../docs/openapi-schema.ts";
import { urlOf } from "../origin.ts";
import { pathPart } from "../path-part.ts";
import { parametersOf } from "../query-parameters.ts";
import { readJson } from "../read-json.ts";
import type { ReportFailure } from "../report.ts";
import { listAlerts } from "./alerts.ts";
import { auditFilters, listAudit } from "./audit.ts";
import { watchDownload } from "./download.ts";
import {
  createKey,
  keyPage,
  limitPage,
  listKeys,
  listLimits,
  revokeKey,
  rotateKey,
  rotationSchema,
  setLimits,
  showKey,
} from "./keys.ts";
import { listModels, modelPage, reloadModels } from "./models.ts";
import { listPrices, pricePage, priceQuery, priceSchema, removePrice, setPrice } from "./prices.ts";
import { listQueue, queueQuery } from "./queue.ts";
import { showStatus } from "./status.ts";
import { updateModels } from "./updates.ts";
import { listUsageRows, showUsage, usageQuery, usageRowsQuery } from "./usage.ts";
import { listWebhooks, replayWebhook, webhookPage } from "./webhooks.ts";

type Parts = Pick<
  Appliance,
  | "catalog"
  | "reloadModels"
  | "keys"
  | "accounts"
  | "jobs"
  | "webhooks"
  | "fleet"
  | "byClock"
  | "hardware"
  | "monitor"
  | "scheduler"
  | "supply"
  | "updates"
  | "oversight"
> & {
  clock: Clock;
  keepAliveMs: number;
  report: ReportFailure;
  bodyLimit: Bytes;
};

export const admin = ({ bodyLimit, clock, ...box }: Parts) => {
  const keyBox = { ...box, clock };
  const audit = { audit: box.oversight.audit, keys: box.keys };
  return new Elysia({ prefix: "/admin/v1", name: "admin" })
    .get("/keys", ({ request }) => listKeys(keyBox, urlOf(request).searchParams), {
      detail: { ...detail("All keys, without their secrets"), parameters: parametersOf(keyPage) },
    })
    .post("/keys", async ({ request }) => createKey(keyBox, await readJson(request, bodyLimit)), {
      detail: { ...detail("Make a key; it is shown this once"), requestBody: newKeyBody, ...answered(201) },
    })
    .get("/keys/:id", ({ params }) => showKey(keyBox, params.id), {
      detail: detail("One key, with what it has used and left of its limits"),
    })
    .delete("/keys/:id", ({ params }) => revokeKey(keyBox, params.id), {
      detail: detail("End a key at once and for ever"),
    })
    .post(
      "/keys/:id/rotate",
      async ({ request, params }) => rotateKey(keyBox, params.id, await readJson(request, bodyLimit)),
      {
        detail: {
          ...detail("Give a key another secret; the one before is good for a while"),
          ...bodyOf(rotationSchema),
        },
      },
    )
    .use(usage(keyBox))
    .get("/limits", ({ request }) => listLimits(keyBox, urlOf(request).searchParams), {
      detail: {
        ...detail("Keys, teams and models with limits, and what they have used and left"),
        parameters: parametersOf(limitPage),
      },
    })
    .put(
      "/limits/:kind/*",
      async ({ request, params }) =>
        setLimits(keyBox, { kind: params.kind, id: pathPart(params["*"]) }, await readJson(request, bodyLimit)),
      { detail: { ...detail("Set the limits of a key, a team or a model: /admin/v1/limits/{kind}/{id}"), hide: true } },
    )
    .use(prices({ ...box, bodyLimit }))
    .get("/models", ({ request }) => listModels(box, urlOf(request).searchParams), {
      detail: {
        ...detail("All models, with the whole of their files and what of their weights is on the disk"),
        parameters: parametersOf(modelPage),
      },
    })
    .get("/models/*", ({ request, params }) => watchDownload(box, request, params["*"]), {
      detail: { ...detail("Progress of a model's download, as events: /admin/v1/models/{id}/download"), hide: true },
    })
    .post("/models/reload", () => reloadModels(box), {
      detail: detail("Read the model files anew: ids that were added, changed and removed, and files that are wrong"),
    })
    .post("/models/*", ({ request, params }) => updateModels(box, request, params["*"]), {
      detail: {
        ...detail(
          "Take over a model's new revision, with events: /admin/v1/models/{id}/update, or all: /admin/v1/models/update",
        ),
        hide: true,
      },
    })
    .use(state(box))
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

const usage = (box: Pick<Parts, "keys" | "accounts" | "clock">) =>
  new Elysia({ name: "admin-usage" })
    .get("/usage", ({ request }) => showUsage(box, urlOf(request).searchParams), {
      detail: { ...detail("What was used, by key, team, model or tag"), parameters: parametersOf(usageQuery) },
    })
    .get("/usage/requests", ({ request }) => listUsageRows(box, urlOf(request).searchParams), {
      detail: { ...detail("What each finished request used"), parameters: parametersOf(usageRowsQuery) },
    });

const prices = (box: Pick<Parts, "accounts" | "catalog" | "keys"> & { bodyLimit: Bytes }) =>
  new Elysia({ name: "admin-prices" })
    .get("/prices", ({ request }) => listPrices(box, urlOf(request).searchParams), {
      detail: {
        ...detail("Prices of models, and those that some keys and teams, or all, pay instead"),
        parameters: parametersOf(pricePage),
      },
    })
    .put("/prices", async ({ request }) => setPrice(box, await readJson(request, box.bodyLimit)), {
      detail: { ...detail("Set what a key, a team or everybody pays for models"), ...bodyOf(priceSchema) },
    })
    .delete("/prices", ({ request }) => removePrice(box, urlOf(request).searchParams), {
      detail: { ...detail("End such a price"), parameters: parametersOf(priceQuery) },
    });

/** What it does right now. */
const state = (box: Pick<Parts, "hardware" | "monitor" | "scheduler" | "fleet" | "byClock" | "jobs" | "supply">) =>
  new Elysia({ name: "admin-state" })
    .get("/status", () => showStatus(box), {
      detail: detail(
        "Devices with live readings, models, runners, weights under way, and how many requests run and wait, with the first 100",
      ),
    })
    .get("/queue", ({ request }) => listQueue(box.jobs, urlOf(request).searchParams), {
      detail: {
        ...detail("Requests that run, then those that wait, each oldest first"),
        parameters: parametersOf(queueQuery),
      },
    });

const answered = (status: number) => ({ responses: { [status]: { description: "Done" } } });
const bodyOf = (schema: TObject) => ({
  requestBody: { required: false, content: { "application/json": { schema: toOpenApiInput(schema) } } },
});
const detail = (summary: string) => ({ tags: ["Administration"], summary });

const newKeyBody = {
  required: true,
  content: {
    "application/json": { schema: toOpenApiInput(newKeySchema), example: { name: "my app", scope: "api" as const } },
  },
};
