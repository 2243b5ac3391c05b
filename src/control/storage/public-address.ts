// Which addresses a user's URL may lead to: public ones, and what the operator allows.
import { BlockList, isIP, isIPv4 } from "node:net";
import { ForecourtError } from "../../core/errors.ts";

export type AddressGuard = {
  /** May this host be asked for at all, whatever it resolves to? */
  isTrustedHost(host: string): boolean;
  isAllowed(address: string): boolean;
};

/** IANA special-purpose registries (RFC 6890 and successors), and Azure's metadata host, which has a public address. */
const PRIVATE_V4: [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** Global unicast is 2000::/3; of it, these carry other addresses inside them or are for documentation. */
const GLOBAL_V6: [string, number] = ["2000::", 3];
const SPECIAL_V6: [string, number][] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const privateV4 = listOf(PRIVATE_V4, "ipv4");
const globalV6 = listOf([GLOBAL_V6], "ipv6");
const specialV6 = listOf(SPECIAL_V6, "ipv6");

function listOf(ranges: [string, number][], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, family);
  return list;
}

/** False for anything that is not a plain address; IPv6 forms that hold an IPv4 address are not public. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !privateV4.check(address, "ipv4");
  if (isIP(address) !== 6 || address.includes("%")) return false;
  return globalV6.check(address, "ipv6") && !specialV6.check(address, "ipv6");
}

/** `allow`: networks (`10.0.0.0/8`), addresses and host names. Throws `misconfigured` for what is none of them. */
export function createAddressGuard(allow: string[]): AddressGuard {
  const networks = new BlockList();
  const hosts = new Set<string>();
  for (const entry of allow) {
    if (entry.includes("/")) addNetwork(networks, entry);
    else if (isIP(entry)) networks.addAddress(entry, familyOf(entry));
    else hosts.add(hostName(entry));
  }
  return {
    isTrustedHost: (host) => hosts.has(host.toLowerCase()),
    isAllowed: (address) =>
      isPublicAddress(address) || (isIP(address) > 0 && networks.check(address, familyOf(address))),
  };
}

function hostName(entry: string): string {
  if (/^[\p{L}\p{N}_.-]+$/u.test(entry)) return entry.toLowerCase();
  const way = /^[^:]+:\d+$/.test(entry) ? " Leave its port out: all ports of a host are allowed." : "";
  throw new ForecourtError("misconfigured", `fetch.allow: ${entry} is no network, no address and no host name.${way}`);
}

function addNetwork(networks: BlockList, entry: string): void {
  const [address = "", prefix = ""] = entry.split("/");
  const bits = Number(prefix);
  const isNetwork = isIP(address) > 0 && /^\d+$/.test(prefix) && bits <= (isIPv4(address) ? 32 : 128);
  if (!isNetwork)
    throw new ForecourtError("misconfigured", `fetch.allow: ${entry} is not a network such as 10.0.0.0/8.`);
  networks.addSubnet(address, bits, familyOf(address));
}

const familyOf = (address: string) => (isIPv4(address) ? "ipv4" : "ipv6");
