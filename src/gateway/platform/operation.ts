// One call of the platform API: its path, who may make it, what it takes and gives; routed and documented from the same table.
import type { Appliance } from "../../control/appliance.ts";
import type { Key } from "../../control/keys/key.ts";
import type { Permission } from "../../control/keys/permissions.ts";
import { parse, type Static, type TObject, type TSchema, Type } from "../../core/schema.ts";
import type { Instant } from "../../core/units.ts";
import type { Roots } from "../fal/call.ts";
import { queryValues } from "./query.ts";

export type PlatformParts = Pick<
  Appliance,
  "catalog" | "keys" | "tokens" | "jobs" | "history" | "outputs" | "accounts" | "uploads" | "fileDefaults" | "workflows"
> & {
  clock: { now(): Instant };
};

/** `open`: without a key; `admin`: the scope that fal calls ADMIN. */
export type Access = "open" | "key" | "admin";

/** What every operation sees of a request. `names` are the parts of its path that are `{named}`. */
export type Asked = { names: Record<string, string>; roots: Roots };

export type Operation = {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below /v1, e.g. `/models/requests/{request_id}/payloads`. */
  path: string;
  access: Access;
  /** Of a caller whose key has a list of permissions. */
  permission: Permission;
  summary: string;
  query: TObject;
  body: TObject;
  /** Undefined for an answer without a body. */
  result: TSchema | undefined;
  status: number;
  answer(
    parts: PlatformParts,
    asked: Asked & { caller: Key | undefined; query: URLSearchParams; body: unknown },
  ): unknown;
};

type Described<Query extends TObject, Body extends TObject> = {
  path: string;
  /** Absent: that to run models. */
  permission?: Permission;
  summary: string;
  query?: Query;
  body?: Body;
  result?: TSchema;
  status?: number;
  answer(parts: PlatformParts, asked: Asked & { caller: Key; query: Static<Query>; body: Static<Body> }): unknown;
};

const NOTHING = Type.Object({});

/**
 * The one place where an operation's own types are forgotten: its query and body are parsed here, and throw
 * `invalid_input`. `caller` is undefined only where `access` is `open`, and operations that are open do not look at it.
 */
const operation =
  (method: Operation["method"], access: Access) =>
  <Query extends TObject = typeof NOTHING, Body extends TObject = typeof NOTHING>(
    described: Described<Query, Body>,
  ): Operation => {
    const { query = NOTHING, body = NOTHING, result, status = result ? 200 : 204, answer, ...rest } = described;
    const { permission = "models:run" } = described;
    return {
      ...{ ...rest, method, access, permission, query, body, result, status },
      answer: (parts, { names, roots, caller, ...given }) =>
        answer(parts, {
          ...{ names, roots },
          caller: caller as Key, // dispatch has seen to it
          query: parse(query, queryValues(query, given.query), ["query"]) as Static<Query>,
          body: parse(body, given.body) as Static<Body>,
        }),
    };
  };

export const openGet = operation("GET", "open");
export const get = operation("GET", "key");
export const post = operation("POST", "key");
export const put = operation("PUT", "key");
export const remove = operation("DELETE", "key");
export const adminGet = operation("GET", "admin");
export const adminPost = operation("POST", "admin");
export const adminDelete = operation("DELETE", "admin");
