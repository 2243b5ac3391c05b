// Which URLs a caller may want to hear at, as far as no name server has to be asked.
import { expect, test } from "bun:test";
import { createAddressGuard } from "../../../src/control/storage/public-address.ts";
import { webhookTarget } from "../../../src/control/webhooks/target.ts";

const guard = createAddressGuard([]);
const long = (length: number) => `https://hooks.example/${"x".repeat(length - "https://hooks.example/".length)}`;

test.each([
  ["https://hooks.example/in?a=b#part", "https://hooks.example/in?a=b"],
  ["HTTP://Hooks.Example:80", "http://hooks.example/"],
  ["http://8.8.8.8/in", "http://8.8.8.8/in"],
  ["http://[2606:4700::1111]/in", "http://[2606:4700::1111]/in"],
  ["http://localhost.example/in", "http://localhost.example/in"],
  ["http://mylocalhost/in", "http://mylocalhost/in"],
  [long(2048), long(2048)],
])("%s is taken", (given, target) => {
  expect(webhookTarget(given, guard)).toBe(target);
});

test.each([
  ["nonsense", "must be an absolute http or https URL"],
  ["/in", "must be an absolute http or https URL"],
  ["ftp://hooks.example/in", "must be an absolute http or https URL"],
  [long(2049), "must not be longer than 2048 characters"],
  ["http://127.0.0.1/in", "must not lead to the private address 127.0.0.1."],
  ["http://10.0.0.9/in", "must not lead to the private address 10.0.0.9."],
  ["http://[::1]/in", "must not lead to the private address ::1."],
  ["http://localhost:8000/in", "must not lead to the private address localhost."],
  ["http://app.localhost/in", "must not lead to the private address app.localhost."],
  ["http://localhost./in", "must not lead to the private address localhost.."],
])("%s is refused", (given, message) => {
  expect(() => webhookTarget(given, guard)).toThrow(`fal_webhook ${message}`);
});

test("what the operator allows is taken: a network, an address, this machine by its names, a trusted name", () => {
  const allowing = (...allow: string[]) => createAddressGuard(allow);
  expect(webhookTarget("http://10.0.0.9/in", allowing("10.0.0.0/8"))).toBe("http://10.0.0.9/in");
  expect(webhookTarget("http://app.localhost/in", allowing("127.0.0.1"))).toBe("http://app.localhost/in");
  expect(webhookTarget("http://localhost/in", allowing("localhost"))).toBe("http://localhost/in");
  expect(() => webhookTarget("http://127.0.0.1/in", allowing("10.0.0.0/8", "localhost"))).toThrow("private address");
});
