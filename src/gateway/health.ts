// Is the process alive, and may work be sent to it? For installers, supervisors and load balancers; no key needed.
import { Elysia } from "elysia";

export const health = ({ isReady }: { isReady: () => boolean }) =>
  new Elysia({ name: "health" })
    .get("/health", () => Response.json({ status: "ok" }), {
      detail: { tags: ["Operations"], summary: "The process is alive", security: [] },
    })
    .get("/ready", () => readiness(isReady()), {
      detail: { tags: ["Operations"], summary: "Requests are accepted; 503 until then", security: [] },
    });

const readiness = (isReady: boolean) =>
  Response.json({ status: isReady ? "ready" : "starting" }, { status: isReady ? 200 : 503 });
