// Who may read an uploaded file, and for how long it is kept: what an uploader's lifecycle header says.
import { ForecourtError } from "../../core/errors.ts";
import { choice, parse, type Static, Type } from "../../core/schema.ts";
import { type Milliseconds, milliseconds } from "../../core/units.ts";
import type { Key } from "../keys/key.ts";

const decision = () => choice(["allow", "forbid", "hide"]);

export const aclSchema = Type.Object({
  default: decision(),
  /** `user` is the id or name of a key. */
  rules: Type.Array(Type.Object({ user: Type.String({ minLength: 1, maxLength: 200 }), decision: decision() }), {
    maxItems: 1000,
    default: [],
  }),
});

/** In seconds: the names that fal's clients know; without one of these a number. */
const DURATIONS = { immediate: 60, "1h": 3600, "1d": 86_400, "7d": 604_800, "30d": 2_592_000, "1y": 31_536_000 };
const durations = ["never", "immediate", "1h", "1d", "7d", "30d", "1y"] as const;

const lifecycleSchema = Type.Object({
  expiration_duration_seconds: Type.Optional(
    Type.Union([Type.Integer({ minimum: 1, maximum: 3_153_600_000 }), choice(durations)]),
  ),
  initial_acl: Type.Optional(aclSchema),
});

export type Acl = Static<typeof aclSchema>;
/** `forbid` says that it may not be read, `hide` that there is no such file. */
export type Decision = Acl["default"];

/** Without `keepFor` for ever. */
export type Lifecycle = { acl: Acl; keepFor?: Milliseconds };

export const OPEN: Acl = { default: "allow", rules: [] };
/** Does it keep nobody out? */
export const isOpen = (acl: Acl) => acl.default === "allow";

/** fal's JSON of `X-Fal-Object-Lifecycle`. Throws `bad_request` that says what is wrong. */
export function readLifecycle(json: string): Lifecycle {
  try {
    const { expiration_duration_seconds: duration, initial_acl } = parse(lifecycleSchema, JSON.parse(json));
    const seconds = typeof duration === "string" && duration !== "never" ? DURATIONS[duration] : duration;
    const keepFor = typeof seconds === "number" ? { keepFor: milliseconds(seconds * 1000) } : {};
    return { acl: initial_acl ?? OPEN, ...keepFor };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ForecourtError("bad_request", `The object lifecycle cannot be used: ${reason}`, { cause });
  }
}

/** The owner and admins may always. Of several rules for one key the most permissive counts. */
export function decide({ acl, owner }: { acl: Acl; owner: string }, reader: Key | undefined): Decision {
  if (reader === undefined) return acl.default;
  if (reader.id === owner || reader.scope === "admin") return "allow";
  const rules = acl.rules.filter(({ user }) => user === reader.id || user === reader.name);
  return PERMISSIVE_FIRST.find((each) => rules.some((rule) => rule.decision === each)) ?? acl.default;
}

const PERMISSIVE_FIRST = ["allow", "forbid", "hide"] as const satisfies Decision[];
