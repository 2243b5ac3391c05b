// api.fal.ai: what surrounds the models: catalogue, prices, requests, analytics, keys. One table of operations, one dispatch.
import type { Appliance } from "../../control/appliance.ts";
import { ForecourtError } from "../../core/errors.ts";
import { bytes } from "../../core/units.ts";
import { beginAct } from "../audit.ts";
import { type Authenticate, requireScope, requireUse } from "../authenticate.ts";
import type { OpenFace, Visit } from "../fal/call.ts";
import { pathPart } from "../path-part.ts";
import { readJson } from "../read-json.ts";
import type { ReportFailure } from "../report.ts";
import { newRequestId } from "../request-id.ts";
import { requireMethod } from "../require-method.ts";
import { refuseElsewhere } from "./elsewhere.ts";
import { platformFailure } from "./failure.ts";
import { createIdempotency, type Idempotency } from "./idempotency.ts";
import type { Operation, PlatformParts } from "./operation.ts";
import { operations } from "./operations.ts";

export type PlatformFaceParts = PlatformParts &
  Pick<Appliance, "answers"> & {
    authenticate: Authenticate;
    report: ReportFailure;
  };

/** Generous: the body of a stored workflow. */
const BODY_LIMIT = bytes(4 * 1024 * 1024);

export function createPlatform(parts: PlatformFaceParts): OpenFace {
  const idempotency = createIdempotency(parts.answers);
  return async (visit) => {
    try {
      return await dispatch(parts, visit, idempotency);
    } catch (thrown) {
      const id = newRequestId();
      return platformFailure(parts.report(thrown, id), id);
    }
  };
}

/** `visit.path` begins with `v1/`. */
async function dispatch(parts: PlatformFaceParts, visit: Visit, idempotency: Idempotency): Promise<Response> {
  const { request } = visit;
  const found = operations.flatMap((operation) => {
    const names = namesIn(operation.path, `/${visit.path.replace(/^v1\/?/, "")}`);
    return names && visit.path.startsWith("v1/") ? [{ operation, names }] : [];
  });
  const chosen = found.find(({ operation }) => operation.method === request.method);
  if (!found.some(({ operation }) => operation.access === "open")) parts.authenticate(request);
  refuseElsewhere(visit.path);
  if (found.length === 0) throw new ForecourtError("not_found", `Path /${visit.path.slice(0, 200)} not found`);
  const methods = [...new Set(found.map(({ operation }) => operation.method))];
  requireMethod(request, methods, `Use ${methods.join(" or ")}.`);
  if (!chosen) throw new ForecourtError("not_found", "There is nothing here.");
  return await carryOut(parts, visit, { ...chosen, idempotency });
}

type Chosen = { operation: Operation; names: Record<string, string>; idempotency: Idempotency };

async function carryOut(parts: PlatformFaceParts, visit: Visit, { operation, names, idempotency }: Chosen) {
  const { request, query, roots } = visit;
  const caller = operation.access === "open" ? undefined : parts.authenticate(request);
  if (caller && operation.access === "admin") {
    beginAct(request, `/platform/${visit.path}`);
    requireScope(caller, "admin");
  } else if (caller) requireUse(caller, operation.permission);
  const body = operation.method === "GET" ? {} : await readJson(request, BODY_LIMIT);
  const answer = async () =>
    toResponse(operation, await operation.answer(parts, { names, roots, caller, query, body }));
  const key = request.headers.get("idempotency-key");
  if (key === null || operation.method === "GET") return await answer();
  const about = [caller?.id, operation.method, visit.path, key.slice(0, 500)].join(" ");
  const content = JSON.stringify([query.toString(), body]);
  return await idempotency({ about, content }, answer);
}

const toResponse = ({ status, result }: Operation, value: unknown) =>
  result ? Response.json(value, { status }) : new Response(null, { status });

/** `{name}` is any one part of a path; undefined for another path. Throws `bad_request` for malformed encoding. */
function namesIn(pattern: string, path: string): Record<string, string> | undefined {
  const expected = pattern.split("/");
  const given = path.replace(/(?<=.)\/$/, "").split("/");
  if (expected.length !== given.length) return undefined;
  const names: Record<string, string> = {};
  for (const [at, part] of expected.entries()) {
    const text = given[at] ?? "";
    if (part.startsWith("{")) names[part.slice(1, -1)] = pathPart(text);
    else if (part !== text) return undefined;
  }
  return names;
}
