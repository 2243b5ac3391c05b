// Runs in a network and mount namespace of its own: a box on port 443, fal's names leading to it, untouched clients.
// `bun inside.ts FOLDER PYTHON|- PYTHON|-` prints what they saw as JSON. FOLDER has tls/ and data/; the first Python has
// fal_client, the second fal.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FAL_HOSTS } from "../../../src/gateway/fal/proxy.ts";
import { startServer } from "../../support/live-server.ts";

const [folder = "", python = "-", pythonOfApps = "-"] = process.argv.slice(2);
const pem = (name: string) => join(folder, "tls", `${name}.pem`);

const hosts = join(folder, "hosts");
writeFileSync(hosts, `127.0.0.1 localhost ${FAL_HOSTS.join(" ")}\n`);
for (const [command = "", ...words] of [
  ["ip", "link", "set", "lo", "up"],
  ["mount", "--bind", hosts, "/etc/hosts"],
])
  if (spawnSync(command, words, { stdio: "inherit" }).status !== 0) process.exit(3);

await using server = await startServer({
  data: join(folder, "data"),
  port: 443,
  tls: { cert: pem("cert"), key: pem("key"), ca: pem("ca") },
});
const env = { ...process.env, FAL_KEY: server.key, NODE_EXTRA_CA_CERTS: pem("ca"), SSL_CERT_FILE: pem("ca") };

async function outputOf(command: string[]): Promise<unknown> {
  const child = Bun.spawn(command, { env, stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed; the server said:\n${server.output()}`);
  return JSON.parse(text);
}

const here = import.meta.dir;
const javascript = await outputOf([process.execPath, join(here, "untouched.ts")]);
const seen = python === "-" ? undefined : await outputOf([python, join(here, "../python/calls.py")]);
const apps = pythonOfApps === "-" ? undefined : await outputOf([pythonOfApps, join(here, "../python/apps_calls.py")]);
process.stdout.write(JSON.stringify({ javascript, python: seen, apps }));
