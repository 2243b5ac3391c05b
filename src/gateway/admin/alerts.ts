// Alerts over HTTP, for admins: what was noticed, and whether the receiver knows.
import type { Alerts } from "../../control/alerts/alerts.ts";

const MOST = 100;

export const listAlerts = (alerts: Pick<Alerts, "list">) =>
  Response.json({
    alerts: alerts.list(MOST).map(({ body, status, attempts, reason, url }) => ({
      ...JSON.parse(body),
      delivery: url === "" ? null : { url, status, attempts, reason },
    })),
  });
