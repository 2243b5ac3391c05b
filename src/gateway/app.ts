// Everything that this box answers over HTTP: the table of contents, with one guard around all that needs a key.
import { Elysia } from "elysia";
import type { Appliance } from "../control/appliance.ts";
import type { Settings } from "../control/settings.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { ForecourtError } from "../core/errors.ts";
import { bytes, MIB } from "../core/units.ts";
import { admin } from "./admin/admin.ts";
import { createAuthenticate, requireScope } from "./authenticate.ts";
import { createCors } from "./cors.ts";
import { docs } from "./docs.ts";
import { failureResponse } from "./failures.ts";
import { createEntrances } from "./fal/entrances.ts";
import { createQueue } from "./fal/queue.ts";
import { createRun } from "./fal/run.ts";
import { createFileFace } from "./files.ts";
import { health } from "./health.ts";
import { createListen } from "./listen.ts";
import { originOf } from "./origin.ts";
import { createReport } from "./report.ts";
import { ensureRequestId, newRequestId } from "./request-id.ts";
import { type Route, routeFailure } from "./route-failure.ts";

export type GatewayParts = Pick<Appliance, "catalog" | "keys" | "jobs" | "files" | "fleet" | "device" | "log"> & {
  settings: Pick<Settings, "publicUrl" | "allowOrigins"> & { limits: Pick<Settings["limits"], "bodyMb"> };
  /** Shown in the documentation. */
  version: string;
  /** Whether /ready says so. */
  isReady(): boolean;
  clock?: Clock;
  /** Period of comments on silent event streams: below the shortest idle timeout of usual proxies (60 s). */
  keepAliveMs?: number;
};

export type Gateway = ReturnType<typeof createGateway>;

/** `app.handle(request)` answers without a network, `listen` serves. */
export function createGateway(parts: GatewayParts) {
  const app = createApp(parts);
  return { app, listen: createListen(app) };
}

function createApp({
  settings,
  log,
  clock = systemClock,

  keepAliveMs = 15_000,
  ...box
}: GatewayParts) {
  const { publicUrl } = settings;
  const bodyLimit = bytes(settings.limits.bodyMb * MIB);
  const authenticate = createAuthenticate(box);
  const report = createReport(log);
  const cors = createCors({ origins: settings.allowOrigins });
  const files = createFileFace(box);
  const mark = (request: Request, response: Response) => {
    cors.open(request, response);
    ensureRequestId(response);
  };
  const facing = { ...box, bodyLimit, keepAliveMs, report };
  const entrances = createEntrances({
    faces: { run: createRun(facing), queue: createQueue(facing) },
    authenticate,
    publicUrl,
  });

  const routes = (): Route[] => app.routes;
  const app = new Elysia({ systemRouter: false })
    .wrap((handle) => async (request: Request) => {
      const response: unknown = await handle(request);
      if (response instanceof Response) mark(request, response);
      return response;
    })
    .onRequest(({ request, server }) => cors.preflight(request) ?? entrances.byHost(request, server))
    .onError(({ code, error, request }) => {
      const id = newRequestId();
      return failureResponse(report(thrownBy({ code, error, request, routes: routes() }), id), id);
    })
    .use(health(box))
    .use(docs({ ...box, rootsOf: (request) => rootsOf(originOf(request, publicUrl)) }))
    .all("/files/*", ({ request, params }) => files(request, params["*"]), hidden())
    .guard({ parse: "none" }, (guarded) =>
      guarded
        .resolve(({ request }) => ({ caller: authenticate(request) }))
        .all("/run/*", ({ request, server, caller, params }) =>
          entrances.byPath("run", { request, server, caller }, params["*"]),
        )
        .all("/queue/*", ({ request, server, caller, params }) =>
          entrances.byPath("queue", { request, server, caller }, params["*"]),
        )
        .all("/fal/proxy", ({ request, server, caller }) => entrances.byProxy({ request, server, caller }), hidden())
        .all(
          "/api/fal/proxy",
          ({ request, server, caller }) => entrances.byProxy({ request, server, caller }),
          hidden(),
        )
        .guard({ beforeHandle: ({ request }) => requireScope(authenticate(request), "admin") }, (forAdmins) =>
          forAdmins.use(admin({ ...box, clock, bodyLimit })),
        ),
    );
  return app;
}

/** A new one for each route: the router writes into what it is given. */
const hidden = () => ({ detail: { hide: true } });

const rootsOf = (origin: string) => ({ origin, queue: `${origin}/queue` });

type Thrown = { code: unknown; error: unknown; request: Request; routes: Route[] };

/** A request whose client is gone fails in many ways that are nobody's fault. */
function thrownBy({ code, error, request, routes }: Thrown): unknown {
  if (request.signal.aborted) return new ForecourtError("client_cancelled", "The caller left.", { cause: error });
  return code === "NOT_FOUND" ? routeFailure(request, routes) : error;
}
