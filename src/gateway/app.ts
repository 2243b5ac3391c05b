// Everything that this box answers over HTTP: the table of contents, with one guard around all that needs a key.
import { Elysia } from "elysia";
import type { Appliance } from "../control/appliance.ts";
import type { Settings } from "../control/settings.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { bytes, type Instant, MIB } from "../core/units.ts";
import { admin } from "./admin/admin.ts";
import { beginAct, createAuditTrail } from "./audit.ts";
import { type Authenticate, createAuthenticate, createAuthenticateStorage, requireScope } from "./authenticate.ts";
import { createBorder } from "./border.ts";
import { createCdn } from "./cdn/cdn.ts";
import { docs } from "./docs.ts";
import { createEntrances } from "./fal/entrances.ts";
import { createFalSockets } from "./fal/fal-sockets.ts";
import { withLanguageRouters } from "./fal/language-routers.ts";
import { createQueue } from "./fal/queue.ts";
import { createRun } from "./fal/run.ts";
import { createFileFace } from "./files.ts";
import { takeAsGet } from "./head.ts";
import { health } from "./health.ts";
import { keySets } from "./key-sets.ts";
import { timeLeftText, withLimitHeaders } from "./limit-headers.ts";
import { createListen } from "./listen.ts";
import { createMcp } from "./mcp/mcp.ts";
import { metricsRoute, showMetrics } from "./metrics.ts";
import { createObserve } from "./observe.ts";
import { withFalRouter } from "./openai/fal-router.ts";
import { createOpenAi } from "./openai/openai.ts";
import { settleAddress, urlOf } from "./origin.ts";
import { requireParts } from "./path-part.ts";
import { createPlatform } from "./platform/platform.ts";
import { createReport } from "./report.ts";
import { createRest } from "./rest/rest.ts";
import type { Route } from "./route-failure.ts";

export type GatewayParts = Pick<
  Appliance,
  | "catalog"
  | "reloadModels"
  | "keys"
  | "accounts"
  | "tokens"
  | "jobs"
  | "history"
  | "outputs"
  | "files"
  | "uploads"
  | "importFile"
  | "fileDefaults"
  | "answers"
  | "batches"
  | "conversations"
  | "webhooks"
  | "workflows"
  | "fleet"
  | "byClock"
  | "hardware"
  | "monitor"
  | "scheduler"
  | "supply"
  | "updates"
  | "device"
  | "oversight"
  | "log"
> & {
  settings: Partial<Pick<Settings, "log" | "openai">> &
    Pick<Settings, "publicUrl" | "allowOrigins" | "realtime"> & {
      limits: Pick<Settings["limits"], "bodyMb">;
    };
  /** Shown in the documentation. */
  version: string;
  /** Whether /ready says so. */
  isReady(): boolean;
  clock?: Clock;
  /** How long a tool of the MCP endpoint waits for a run. */
  waitMs?: number;
  /** Period of comments on silent event streams. */
  keepAliveMs?: number;
};

/** Below the shortest idle timeout of usual proxies, 60 s. */
const KEEP_ALIVE_MS = 15_000;

export type Gateway = ReturnType<typeof createGateway>;

/** `app.handle(request)` answers without a network, `listen` serves. */
export function createGateway(parts: GatewayParts) {
  const { app, sockets, bodyLimit } = createApp(parts);
  return {
    app,
    listen: createListen(app, { maxMessage: bodyLimit, onStop: sockets.closeAll, onCut: parts.jobs.giveUpWaiting }),
  };
}

/** Options of a route that the documents describe otherwise, or not at all. */
const hidden = () => ({ detail: { hide: true } });

const adminsOnly =
  (authenticate: Authenticate) =>
  ({ request, params }: { request: Request; params: Parameters<typeof requireParts>[0] }): void => {
    beginAct(request, urlOf(request).pathname);
    requireScope(authenticate(request), "admin");
    requireParts(params);
  };

function createApp({ settings, clock = systemClock, keepAliveMs = KEEP_ALIVE_MS, ...box }: GatewayParts) {
  const { publicUrl, allowOrigins, openai = { models: {}, voices: {} } } = settings;
  const bodyLimit = bytes(settings.limits.bodyMb * MIB);
  const report = createReport(box.log);
  const authenticate = createAuthenticate(box);
  const authenticateStorage = createAuthenticateStorage(box);
  const files = createFileFace({ ...box, authenticate: authenticateStorage });
  const facing = { ...box, names: openai.models, voices: openai.voices, bodyLimit, keepAliveMs, report };
  const { accounts } = box;
  const resetText = (freeAt: Instant) => timeLeftText(freeAt, clock.now());
  const openAi = withLimitHeaders(createOpenAi(facing), { accounts, resetText });
  const faces = {
    run: withFalRouter(withLimitHeaders(withLanguageRouters(facing, createRun(facing)), { accounts }), openAi),
    queue: withLimitHeaders(withLanguageRouters(facing, createQueue(facing)), { accounts }),
    rest: createRest(box),
    cdn: createCdn({ ...box, readOutput: files, authenticate: authenticateStorage }),
    platform: createPlatform({ ...box, authenticate, clock, report }),
    mcp: createMcp({ ...facing, clock }),
    openai: openAi,
  };
  const fal = createEntrances({ faces, authenticate, publicUrl });
  const sockets = createFalSockets({ ...box, ...{ run: faces.run, authenticate, settings, report, clock } });
  const trail = createAuditTrail({ audit: box.oversight.audit, authenticate, clock, log: box.log });
  const addressOf = (request: Request) => app.server?.requestIP(request)?.address;
  const { metrics, tracing } = box.oversight;
  const observe = createObserve({ metrics, tracing, log: box.log, isDebugging: settings.log?.level === "debug" });
  const border = createBorder({ allowOrigins, report, trail, observe, addressOf, routes: (): Route[] => app.routes });

  // A path is matched in one way only, served or called by handle(): by Elysia's own router. Each route has options of
  // its own, because the router writes into them.
  const app = new Elysia({ systemRouter: false })
    .wrap((handle) => async (request: Request) => {
      const startedAt = Date.now();
      takeAsGet(request);
      const error = settleAddress(request);
      const entered = error ? border.failure(request, { code: "PARSE", error }) : sockets.enter(request, app.server);
      if (entered === "upgraded") return undefined;
      return border.leave(request, entered ?? (await handle(request)), startedAt);
    })
    .onRequest(({ request, server }) => border.preflight(request) ?? fal.byHost(request, server))
    .onError(({ request, code, error }) => border.failure(request, { code, error }))
    .use(health(box))
    .use(docs({ ...box, publicUrl }))
    .use(keySets(box))
    .all("/files/*", ({ request, params }) => files(request, params["*"]), hidden())
    .all("/cdn/*", ({ request, server, params }) => fal.openPath("cdn", { request, server }, params["*"]), {
      parse: "none",
      ...hidden(),
    })
    .all("/platform/*", ({ request, server, params }) => fal.openPath("platform", { request, server }, params["*"]), {
      parse: "none",
      ...hidden(),
    })
    .guard({ parse: "none" }, (guarded) =>
      guarded
        .resolve(({ request }) => ({ caller: authenticate(request) }))
        .all("/run/*", ({ request, server, caller, params }) =>
          fal.byPath("run", { request, server, caller }, params["*"]),
        )
        .all("/queue/*", ({ request, server, caller, params }) =>
          fal.byPath("queue", { request, server, caller }, params["*"]),
        )
        .all(
          "/rest/*",
          ({ request, server, caller, params }) => fal.byPath("rest", { request, server, caller }, params["*"]),
          hidden(),
        )
        .all("/mcp", ({ request, server, caller }) => fal.byPath("mcp", { request, server, caller }, ""), hidden())
        .all(
          "/v1/*",
          ({ request, server, caller, params }) => fal.byPath("openai", { request, server, caller }, params["*"]),
          hidden(),
        )
        .all("/fal/proxy", ({ request, server, caller }) => fal.byProxy({ request, server, caller }), hidden())
        .all("/api/fal/proxy", ({ request, server, caller }) => fal.byProxy({ request, server, caller }), hidden())
        .get("/metrics", ({ caller }) => showMetrics(metrics, caller), metricsRoute)
        .guard({ beforeHandle: adminsOnly(authenticate) }, (forAdmins) => forAdmins.use(admin({ ...facing, clock }))),
    );
  return { app, sockets, bodyLimit };
}
