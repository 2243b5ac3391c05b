// Writes each administrative act that comes in over HTTP into the audit log, whichever way it came: what is one is said where it is
// carried out, since the same operation is reached by paths, by fal's host names and through the proxy.
import type { Act } from "../control/audit/act.ts";
import type { Audit } from "../control/audit/audit.ts";
import type { Key } from "../control/keys/key.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Authenticate } from "./authenticate.ts";
import { REQUEST_ID } from "./request-id.ts";

export type AuditTrail = {
  /** After the answer is made and before it is sent; reads a copy of it, and never throws. `address` is the peer's. */
  note(request: Request, response: Response, address: string | undefined): Promise<void>;
};

export type AuditTrailParts = { audit: Pick<Audit, "record">; authenticate: Authenticate; clock: Clock; log: Log };

const acts = new WeakMap<Request, string>();

/** Before it is known whether the caller may: a refusal is written down too. Reading is none. `path` as this box's documents name it. */
export function beginAct(request: Request, path: string): void {
  if (request.method !== "GET") acts.set(request, `${request.method} ${path.slice(0, LONGEST_VALUE)}`);
}

/** Cheap: asked for every request. */
export const isAct = (request: Request): boolean => acts.has(request);

/** Of the answer, what says which thing was acted upon; secrets are not among them. */
const TELLING = [
  "id",
  "key_id",
  "name",
  "alias",
  "scope",
  "state",
  "holder",
  "model",
  "request_id",
  "status",
  "detail",
];
const LONGEST_VALUE = 300;

export function createAuditTrail({ audit, authenticate, clock, log }: AuditTrailParts): AuditTrail {
  const attempts = createAttempts(clock);
  return {
    async note(request, response, address) {
      const actor = actorOf(request, authenticate);
      // Strangers are told apart from administrators by their missing key; they must not be able to fill the disk.
      if (actor === undefined) return;
      const fate = actor.scope === "admin" ? "written" : attempts.count(actor);
      if (fate === "dropped") return;
      const requestId = response.headers.get(REQUEST_ID);
      const act: Act = {
        actor: actor.id,
        origin: originOf(request, address),
        action: acts.get(request) ?? request.method,
        details: { ...(await detailsOf(response)), ...(fate === "last" && { note: LAST }) },
        outcome: response.status < 400 ? "done" : response.status < 500 ? "refused" : "failed",
        code: response.status,
        ...(requestId !== null && { requestId }),
      };
      try {
        audit.record(act);
      } catch (error) {
        log.error("an administrative act could not be written down", { ...act, error: String(error) });
      }
    },
  };
}

/** A row of the log stays for ever, and the disk is waited for: callers whose every attempt is refused must not make them at will. */
const MOST_ATTEMPTS = 100;
const HOUR_MS = 3_600_000;
const LAST = "This key's further attempts within the hour are not written down.";

/** Of keys that may not administer: which attempts of this hour are written down. */
function createAttempts(clock: Clock) {
  let hour = 0;
  const counts = new Map<Key["id"], number>();
  return {
    count({ id }: Key): "written" | "last" | "dropped" {
      const now = Math.floor(clock.now() / HOUR_MS);
      if (now !== hour) counts.clear();
      hour = now;
      const count = (counts.get(id) ?? 0) + 1;
      counts.set(id, count);
      return count < MOST_ATTEMPTS ? "written" : count === MOST_ATTEMPTS ? "last" : "dropped";
    },
  };
}

function actorOf(request: Request, authenticate: Authenticate): Key | undefined {
  try {
    return authenticate(request);
  } catch {
    return undefined; // no key, no act: the answer was a 401
  }
}

/** What a proxy says of the caller is kept as its word, beside what is known. */
function originOf(request: Request, address = "unknown"): string {
  const forwarded = request.headers.get("x-forwarded-for");
  return forwarded === null ? address : `${address} for ${forwarded.slice(0, LONGEST_VALUE)}`;
}

async function detailsOf(response: Response): Promise<Record<string, unknown>> {
  if (!response.headers.get("content-type")?.includes("json")) return {};
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  if (typeof body !== "object" || body === null) return {};
  const isTold = ([name, value]: [string, unknown]) =>
    TELLING.includes(name) && (typeof value === "string" || typeof value === "number" || typeof value === "boolean");
  return Object.fromEntries(
    Object.entries(body)
      .filter(isTold)
      .map(([name, value]) => [name, typeof value === "string" ? value.slice(0, LONGEST_VALUE) : value]),
  );
}
