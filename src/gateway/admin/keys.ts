// Keys and limits over HTTP, for admins: make, list, show, revoke and rotate keys; set what accounts may take.

import { ACCOUNT_KINDS, type Account } from "../../control/accounts/account.ts";
import {
  keyWords,
  limitFields,
  limitsOfWords,
  limitWords,
  readLimits,
  stateWords,
} from "../../control/accounts/account-words.ts";
import type { Appliance } from "../../control/appliance.ts";
import { KEY_SCOPES, type Key } from "../../control/keys/keys.ts";
import { PERMISSIONS } from "../../control/keys/permissions.ts";
import type { Clock } from "../../core/clock.ts";
import { ForecourtError } from "../../core/errors.ts";
import { asId, type KeyId } from "../../core/ids.ts";
import { choice, parse, Type } from "../../core/schema.ts";
import { instant, milliseconds } from "../../core/units.ts";

export type KeyBox = Pick<Appliance, "keys" | "accounts"> & { clock: Clock };

const seconds = (description: string, minimum: number) =>
  Type.Integer({ minimum, maximum: 3_153_600_000, description });

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

/** `key` is in the answer this once. Throws `invalid_input`. */
export function createKey({ keys, accounts, clock }: KeyBox, body: unknown): Response {
  const { name, scope, team, owner, models, permissions, expires_in, ...words } = parse(newKeySchema, body);
  const limits = limitsOfWords(words);
  const expiry = expires_in === undefined ? {} : { expiresAt: instant(clock.now() + expires_in * 1000) };
  const facts = {
    ...(team && { team }),
    ...(owner && { owner }),
    ...(models && { models }),
    ...(permissions && { permissions }),
  };
  const { key, secret } = keys.create({ name, scope, ...facts, ...expiry }, (id) => {
    if (Object.keys(limits).length > 0) accounts.store.insertLimits({ kind: "key", id }, limits);
  });
  return Response.json({ ...keyWords(key, { limits, now: clock.now() }), key: secret }, { status: 201 });
}

const published = ({ accounts, clock }: KeyBox, key: Key) =>
  keyWords(key, { limits: accounts.limitsOf({ kind: "key", id: key.id }), now: clock.now() });

export const listKeys = (box: KeyBox) => Response.json({ keys: box.keys.list().map((key) => published(box, key)) });

/** With what it has used and left. Throws `not_found`. */
export function showKey(box: KeyBox, id: string): Response {
  const key = box.keys.get(asId<KeyId>(id));
  if (!key) throw new ForecourtError("not_found", `There is no key ${id.slice(0, 100)}.`);
  return Response.json({
    ...published(box, key),
    usage: stateWords(box.accounts.stateOf({ kind: "key", id: key.id })),
  });
}

/** Throws `not_found`. */
export const revokeKey = (box: KeyBox, id: string) => Response.json(published(box, box.keys.revoke(asId<KeyId>(id))));

export const rotationSchema = Type.Object({
  overlap: { ...seconds("Seconds for which the secret before is good too", 0), default: 86_400 },
});

/** Throws `not_found` and `bad_request`. */
export function rotateKey(box: KeyBox, id: string, body: unknown): Response {
  const { overlap } = parse(rotationSchema, body);
  const { key, secret } = box.keys.rotate(asId<KeyId>(id), milliseconds(overlap * 1000));
  return Response.json({ ...published(box, key), key: secret });
}

export const listLimits = ({ accounts }: KeyBox) =>
  Response.json({
    accounts: accounts.limited().map(({ kind, id, limits }) => ({
      ...{ kind, id, limits: limitWords(limits), usage: stateWords(accounts.stateOf({ kind, id })) },
    })),
  });

/** Replaces all limits of the account; none in the body ends them. Throws `not_found` and `invalid_input`. */
export function setLimits({ accounts, keys }: KeyBox, given: { kind: string; id: string }, body: unknown): Response {
  const account = accountOf(given);
  if (account.kind === "key" && !keys.get(asId<KeyId>(account.id)))
    throw new ForecourtError("not_found", `There is no key ${account.id.slice(0, 100)}.`);
  accounts.store.setLimits(account, readLimits(body));
  return Response.json({
    ...account,
    limits: limitWords(accounts.limitsOf(account)),
    usage: stateWords(accounts.stateOf(account)),
  });
}

function accountOf({ kind, id }: { kind: string; id: string }): Account {
  const known = ACCOUNT_KINDS.find((each) => each === kind);
  if (known) return { kind: known, id };
  throw new ForecourtError(
    "not_found",
    `Limits are of a ${ACCOUNT_KINDS.join(", a ")}, not of a ${kind.slice(0, 100)}.`,
  );
}
