// Which addresses are public: the cases that guards are known to miss.
import { expect, test } from "bun:test";
import { createAddressGuard, isPublicAddress } from "../../../src/control/storage/public-address.ts";

const PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"];
/** The first and the last address of each range that is not public, and the public ones next to it. */
const RANGES: [string, string, string[]][] = [
  ["0.0.0.0", "0.255.255.255", ["1.0.0.0"]],
  ["10.0.0.0", "10.255.255.255", ["9.255.255.255", "11.0.0.0"]],
  ["100.64.0.0", "100.127.255.255", ["100.63.255.255", "100.128.0.0"]],
  ["127.0.0.0", "127.255.255.255", ["126.255.255.255", "128.0.0.0"]],
  ["168.63.129.16", "168.63.129.16", ["168.63.129.15", "168.63.129.17"]],
  ["169.254.0.0", "169.254.255.255", ["169.253.255.255", "169.255.0.0"]],
  ["172.16.0.0", "172.31.255.255", ["172.15.255.255", "172.32.0.0"]],
  ["192.0.0.0", "192.0.0.255", ["191.255.255.255", "192.0.1.0"]],
  ["192.0.2.0", "192.0.2.255", ["192.0.1.255", "192.0.3.0"]],
  ["192.88.99.0", "192.88.99.255", ["192.88.98.255", "192.88.100.0"]],
  ["192.168.0.0", "192.168.255.255", ["192.167.255.255", "192.169.0.0"]],
  ["198.18.0.0", "198.19.255.255", ["198.17.255.255", "198.20.0.0"]],
  ["198.51.100.0", "198.51.100.255", ["198.51.99.255", "198.51.101.0"]],
  ["203.0.113.0", "203.0.113.255", ["203.0.112.255", "203.0.114.0"]],
  ["224.0.0.0", "255.255.255.255", ["223.255.255.255"]],
  ["::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ["2000::"]],
  ["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", ["2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"]],
  ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", ["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"]],
  ["2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ["2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"]],
  ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", ["3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"]],
  ["4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ["3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]],
];
const PRIVATE = [
  ["0.0.0.0", "this host"],
  ["10.1.2.3", "private"],
  ["100.64.0.1", "carrier NAT"],
  ["100.100.100.200", "Alibaba's metadata"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["168.63.129.16", "Azure's metadata"],
  ["169.254.169.254", "metadata"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.0.0.192", "Oracle's metadata"],
  ["192.168.1.1", "private"],
  ["198.18.0.1", "benchmarks"],
  ["224.0.0.1", "multicast"],
  ["239.255.255.250", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "broadcast"],
  ["::", "this host"],
  ["::1", "loopback"],
  ["::ffff:127.0.0.1", "mapped loopback"],
  ["::ffff:7f00:1", "mapped loopback in hexadecimal"],
  ["::ffff:8.8.8.8", "mapped"],
  ["::127.0.0.1", "compatible"],
  ["64:ff9b::7f00:1", "NAT64 of loopback"],
  ["2001::1", "Teredo"],
  ["2001:db8::1", "documentation"],
  ["2002:7f00:1::", "6to4 of loopback"],
  ["fc00::1", "private"],
  ["fd00:ec2::254", "Amazon's metadata"],
  ["fe80::1", "link-local"],
  ["fe80::1%eth0", "link-local with a zone"],
  ["2606:4700::1111%eth0", "a zone makes it an address of this host's link"],
  ["ff02::1", "multicast"],
  ["localhost", "a name"],
  ["", "nothing"],
  ["2130706433", "a number"],
];

test.each(PUBLIC)("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each(PRIVATE)("%s (%s) is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(RANGES)("from %s to %s nothing is public, and what lies next to it is", (first, last, beside) => {
  expect([first, last].filter(isPublicAddress)).toEqual([]);
  expect(beside.filter(isPublicAddress)).toEqual(beside);
});

test("the operator can allow networks, addresses and host names, and nothing else becomes allowed", () => {
  const guard = createAddressGuard(["10.1.0.0/16", "fd00::/8", "192.168.1.7", "Nas.local"]);
  expect(["10.1.255.1", "fd12::1", "192.168.1.7", "8.8.8.8"].map(guard.isAllowed)).toEqual([true, true, true, true]);
  expect(["10.2.0.1", "192.168.1.8", "127.0.0.1", "nas.local", ""].filter(guard.isAllowed)).toEqual([]);
  expect(guard.isTrustedHost("NAS.local")).toBe(true);
  expect(guard.isTrustedHost("evil-nas.local")).toBe(false);
});

test("the operator can allow as little as one address of a network", () => {
  const guard = createAddressGuard(["10.0.0.1/32", "fd00::1/128"]);
  expect(["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"].filter(guard.isAllowed)).toEqual(["10.0.0.1", "fd00::1"]);
});

test.each([
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/-1",
  "nas.local/8",
  "fd00::/129",
  "*.local",
  "a b",
  "nas.local:80",
  "",
])("%s is no network", (entry) => {
  expect(() => createAddressGuard([entry])).toThrow(/fetch.allow/);
});
