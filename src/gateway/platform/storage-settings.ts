// What the caller's key wants for its files where a request says nothing: how long they are kept and who may read them.
import { type Acl, aclSchema } from "../../control/storage/acl.ts";
import type { FileDefault } from "../../control/storage/file-default-store.ts";
import { Type } from "../../core/schema.ts";
import { milliseconds } from "../../core/units.ts";
import { get, type PlatformParts, put } from "./operation.ts";
import { nullable } from "./query.ts";

const A_CENTURY_IN_SECONDS = 3_153_600_000;
const seconds = (description: string) => Type.Integer({ minimum: 1, maximum: A_CENTURY_IN_SECONDS, description });

const result = Type.Object({
  expiration_duration_seconds: nullable(seconds("After its creation a file is removed; null: never")),
  initial_acl: nullable(aclSchema),
});

export const storageSettings = get({
  path: "/storage/settings",
  permission: "account:settings:read",
  summary: "How long uploads and outputs of the caller's key are kept, and who may read them, unless a request says so",
  result,
  answer: ({ fileDefaults }, { caller }) => published(fileDefaults.get(caller.id)),
});

export const setStorageSettings = put({
  path: "/storage/settings",
  permission: "account:settings:write",
  summary: "Set both anew, for files that come from now on; what is left out or null is as if it had never been set",
  body: Type.Object({
    expiration_duration_seconds: Type.Optional(seconds("Null or absent: for ever")),
    initial_acl: Type.Optional(aclSchema),
  }),
  result,
  async answer({ fileDefaults, keys }, { caller, body: { expiration_duration_seconds: duration, initial_acl: acl } }) {
    const wanted: FileDefault = {
      ...(duration !== undefined && { keepFor: milliseconds(duration * 1000) }),
      ...(acl && { acl: ofKnownKeys(acl, keys) }),
    };
    await fileDefaults.set(caller.id, wanted);
    return published(fileDefaults.get(caller.id));
  },
});

const published = ({ keepFor, acl }: FileDefault) => ({
  expiration_duration_seconds: keepFor === undefined ? null : keepFor / 1000,
  initial_acl: acl ?? null,
});

/** As at fal, rules for users that do not exist are dropped: `user` is the id or name of a key. */
export const ofKnownKeys = ({ rules, ...acl }: Acl, keys: Pick<PlatformParts["keys"], "find">): Acl => ({
  ...acl,
  rules: rules.filter(({ user }) => keys.find(user) !== undefined),
});
