// Tokens for streams and realtime connections, which browsers open without headers (fal-protocol.md 5.2).
import { ForecourtError } from "../../core/errors.ts";
import { parse, Type } from "../../core/schema.ts";
import { milliseconds } from "../../core/units.ts";
import type { Call } from "../fal/call.ts";
import type { RestParts } from "./parts.ts";

const lifetime = () => Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 }));
const app = () => Type.String({ minLength: 1, maxLength: 500 });

/** Two generations of clients name the same things differently. */
export const appTokenSchema = Type.Object({
  allowed_apps: Type.Optional(Type.Array(app(), { minItems: 1, maxItems: 100 })),
  app: Type.Optional(app()),
  token_expiration: lifetime(),
  duration: lifetime(),
});

const SECONDS_BY_DEFAULT = 120;

/** Throws `invalid_input`. */
export async function appToken({ tokens }: Pick<RestParts, "tokens">, { caller }: Call, body: unknown) {
  const { allowed_apps, app, token_expiration, duration } = parse(appTokenSchema, body);
  const apps = allowed_apps ?? (app === undefined ? undefined : [app]);
  if (apps === undefined) throw missing("allowed_apps");
  const seconds = token_expiration ?? duration ?? SECONDS_BY_DEFAULT;
  return tokens.issue({ key: caller.id, grant: { use: "apps", apps }, lifetime: milliseconds(seconds * 1000) }).token;
}

const missing = (field: string) =>
  new ForecourtError("invalid_input", `${field}: Field required`, {
    problems: [{ loc: ["body", field], msg: "Field required", type: "missing" }],
  });
