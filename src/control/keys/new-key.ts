// A new key in the words of the command line and of HTTP: what it may be, and its making together with its limits.
import { choice, parseExactly, type Static, Type } from "../../core/schema.ts";
import { type Instant, instant } from "../../core/units.ts";
import { isLimiting, type Limits } from "../accounts/account.ts";
import { limitFields, limitsOfWords } from "../accounts/account-words.ts";
import type { Accounts } from "../accounts/accounts.ts";
import { KEY_SCOPES, type NewKey } from "./key.ts";
import type { Keys } from "./keys.ts";
import { PERMISSIONS } from "./permissions.ts";

const A_HUNDRED_YEARS = 3_153_600_000;

export const seconds = (description: string, minimum: number) =>
  Type.Integer({ minimum, maximum: A_HUNDRED_YEARS, description });

export const newKeySchema = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200, description: "What or whom the key is for" }),
  scope: choice(KEY_SCOPES, {
    default: "api",
    description: "api: use models; admin: everything; metrics: read metrics",
  }),
  team: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Shares limits, prices and reports" })),
  owner: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Whom to ask" })),
  models: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      minItems: 1,
      maxItems: 100,
      description: "Patterns of models that it may use, e.g. fal-ai/*",
    }),
  ),
  permissions: Type.Optional(
    Type.Array(choice(PERMISSIONS), {
      minItems: 1,
      description: "All that it may do; absent: everything of its scope",
    }),
  ),
  expires_in: Type.Optional(seconds("Seconds until it ends", 1)),
  ...limitFields,
});

export type NewKeyWords = Partial<Static<typeof newKeySchema>>;

type Wanted = { wanted: NewKey; limits: Limits };

/** Throws `invalid_input`, naming what is wrong. */
export function readNewKey(words: unknown, now: Instant): Wanted {
  const { name, scope, team, owner, models, permissions, expires_in, ...limitWords } = parseExactly(
    newKeySchema,
    words,
  );
  const wanted = {
    ...{ name, scope },
    ...(team !== undefined && { team }),
    ...(owner !== undefined && { owner }),
    ...(models && { models }),
    ...(permissions && { permissions }),
    ...(expires_in !== undefined && { expiresAt: instant(now + expires_in * 1000) }),
  };
  return { wanted, limits: limitsOfWords(limitWords) };
}

type Books = { keys: Pick<Keys, "create">; accounts: { store: Pick<Accounts["store"], "insertLimits"> } };

/** The secret is given out this once. */
export const makeKey = ({ keys, accounts }: Books, { wanted, limits }: Wanted) =>
  keys.create(wanted, (id) => {
    if (isLimiting(limits)) accounts.store.insertLimits(id, limits);
  });
