// The public key of this box's webhooks (JSON Web Key Set, RFC 7517), open to everybody.
import { Elysia } from "elysia";
import type { PublicKeyJwk } from "../control/webhooks/signing-key.ts";
import { faceOfHost } from "./fal/proxy.ts";
import { hostOf } from "./origin.ts";

export const KEY_SET_PATH = "/.well-known/jwks.json";

/** Receivers may keep it for a day (fal's own advice); an hour lets a new key reach them sooner. */
const KEPT_SECONDS = 3600;

type Parts = { webhooks: { publicKey: PublicKeyJwk } };

export const keySets = ({ webhooks: { publicKey } }: Parts) =>
  new Elysia({ name: "key-sets" })
    .get(
      KEY_SET_PATH,
      ({ request }) => keySet(faceOfHost(hostOf(request.url)) === "rest" ? forFal(publicKey) : [publicKey]),
      {
        detail: { tags: ["Operations"], summary: "The key that webhooks are signed with", security: [] },
      },
    )
    .get(`/rest${KEY_SET_PATH}`, () => keySet(forFal(publicKey)), { detail: { hide: true } });

/**
 * fal's Python sample decodes `x` only with its padding, which RFC 8037 forbids and strict importers refuse. Verifiers
 * try each key of fal's set in turn, so the place that stands in for fal's has the key in both forms.
 */
const forFal = (key: PublicKeyJwk) => [key, { ...key, kid: `${key.kid}-padded`, x: `${key.x}=` }];

const keySet = (keys: PublicKeyJwk[]) =>
  Response.json({ keys }, { headers: { "cache-control": `public, max-age=${KEPT_SECONDS}` } });
