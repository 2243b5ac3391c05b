// Where a URL that a caller gave leads to: its name is resolved once, judged, and connections go to that very address.
import { lookup as resolveName } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import type { AddressGuard } from "./public-address.ts";

export type Address = { address: string; family: number };
/** Names to addresses; a parameter so that tests can play a hostile name server. */
export type Resolver = (host: string) => Promise<Address[]>;

export const systemResolver: Resolver = (host) => resolveName(host, { all: true, verbatim: true });

/** The host of a URL without the brackets of an IPv6 address. */
export const bareHost = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, "");

/** `refusal` says in a sentence why nobody may connect there. Throws what the resolver throws. */
export async function judgedAddress(
  url: URL,
  { guard, resolver }: { guard: AddressGuard; resolver: Resolver },
): Promise<Address | { refusal: string }> {
  const host = bareHost(url);
  const found = isIP(host) ? [{ address: host, family: isIP(host) }] : await resolver(host);
  const isTrusted = guard.isTrustedHost(host);
  const refused = found.find(({ address }) => !isTrusted && !guard.isAllowed(address));
  if (refused) return { refusal: `${host} is not a public address (the operator can allow it with fetch.allow)` };
  return found[0] ?? { refusal: `${host} has no address` };
}

/** For a request's option `lookup`: no second answer of a name server can lead elsewhere. */
export const pinnedTo =
  ({ address, family }: Address): LookupFunction =>
  (_host, options, done) =>
    options.all ? done(null, [{ address, family }]) : done(null, address, family);
