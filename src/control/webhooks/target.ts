// The URL that a caller wants to hear at: judged when it is given, as far as it can be without asking a name server.
import { isIP } from "node:net";
import { ForecourtError } from "../../core/errors.ts";
import { bareHost } from "../storage/pinned-address.ts";
import type { AddressGuard } from "../storage/public-address.ts";

/** Browsers, proxies and servers agree on lengths below this. */
const LONGEST_URL = 2048;

/**
 * The URL in its normal form. Throws `bad_request`. A name that leads to a private address is found out at the first
 * attempt and given up then.
 */
export function webhookTarget(text: string, guard: AddressGuard): string {
  if (text.length > LONGEST_URL) throw wrong(`must not be longer than ${LONGEST_URL} characters`);
  const url = URL.parse(text);
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw wrong("must be an absolute http or https URL, percent-encoded in the query");
  const host = bareHost(url);
  if (isPrivate(host) && !guard.isTrustedHost(host) && !guard.isAllowed(addressOf(host)))
    throw wrong(`must not lead to the private address ${host}. The operator of this box can allow it with fetch.allow`);
  url.hash = "";
  return url.href;
}

const isPrivate = (host: string) => isIP(host) > 0 || isLocalName(host);
const isLocalName = (host: string) => /(^|\.)localhost\.?$/.test(host);
/** RFC 6761: names below localhost are this machine. */
const addressOf = (host: string) => (isLocalName(host) ? "127.0.0.1" : host);

const wrong = (what: string) => new ForecourtError("bad_request", `fal_webhook ${what}.`);
