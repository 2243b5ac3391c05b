// Who the caller is, and where webhooks come from.
import { networkInterfaces } from "node:os";
import { Type } from "../../core/schema.ts";
import { openGet } from "./operation.ts";

export const meta = openGet({
  path: "/meta",
  summary: "Addresses that webhooks come from, as seen on this box; a translating router has others",
  result: Type.Object({ webhook_ip_ranges: Type.Array(Type.String()) }),
  answer: () => ({ webhook_ip_ranges: ownAddresses() }),
});

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outward = all.filter(({ internal, scopeid }) => !internal && !scopeid);
  return [...new Set(outward.map(({ address, family }) => `${address}/${family === "IPv6" ? 128 : 32}`))];
}
