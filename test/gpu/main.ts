// `bun run test:gpu`: the demo and a denoiser of Stable Diffusion 1.5's size with random weights on every kind of device,
// against the CPU. Prints a table; a kind that this machine lacks is named with the reason, never left out.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { findDevices } from "../../src/control/find-devices.ts";
import { environmentOf } from "../../src/control/fleet/environment.ts";
import { installedCuda } from "../../src/control/runtimes/installed.ts";
import { resolveSettings } from "../../src/control/settings.ts";
import type { Device, DeviceKind } from "../../src/core/device.ts";
import type { Measured, Order } from "./measure.ts";
import { buildUnet } from "./unet.ts";

const flag = (name: string, otherwise: number) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split("=")[1] ?? otherwise);
const size = { channels: flag("channels", 320), latent: flag("latent", 64) };
const steps = { gpu: flag("steps", 50), cpu: flag("cpu-steps", 1) };

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const cells = (texts: string[]) =>
  print(texts.map((text, at) => (at === 0 ? text.padEnd(44) : text.padStart(12))).join(" "));

async function measure(device: Device, folder: string, libraries: string | undefined): Promise<Measured | string> {
  const order: Order = {
    ...{ kind: device.kind, folder, ...size, threads: 0, steps: device.kind === "cpu" ? steps.cpu : steps.gpu },
    ...(libraries !== undefined && { libraries }),
  };
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "measure.ts"), JSON.stringify(order)], {
    env: { ...process.env, ...environmentOf(device, libraries) },
    stdout: "pipe",
    stderr: "pipe",
  });
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, heldOnCard(child.pid));
  }, 500);
  const [text, complaints] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  clearInterval(watch);
  if ((await child.exited) !== 0) return `failed: ${complaints.trim().split("\n").at(-1) ?? "no reason given"}`;
  const measured = JSON.parse(text) as Measured; // by measure.ts
  return device.kind === "cuda" && most > 0 ? { ...measured, residentBytes: most } : measured;
}

/** What nvidia-smi says; 0 without it. */
function heldOnCard(pid: number): number {
  if (Bun.which("nvidia-smi") === null) return 0;
  const query = ["--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"];
  const { stdout } = Bun.spawnSync(["nvidia-smi", ...query]);
  const line = stdout
    .toString()
    .split("\n")
    .find((each) => each.startsWith(`${pid},`));
  return Number(line?.split(",")[1] ?? 0) * 1024 * 1024;
}

function row(device: Device, measured: Measured | string): void {
  const name = `${device.id} ${device.name}`.slice(0, 44);
  if (typeof measured === "string") {
    print(`${name.padEnd(44)} ${measured}`);
    return;
  }
  const { loadMs, firstMs, stepsPerSecond, residentBytes, relative, picture } = measured;
  cells([
    name,
    `${(loadMs / 1000).toFixed(1)} s`,
    `${(firstMs / 1000).toFixed(2)} s`,
    stepsPerSecond.toFixed(2),
    `${(residentBytes / 1e9).toFixed(1)} GB`,
    relative.toExponential(1),
    `${picture}/255`,
  ]);
}

const { settings } = resolveSettings({});
const folder = mkdtempSync(join(tmpdir(), "forecourt-gpu-"));
try {
  const { devices, problems } = await findDevices({ settings: { ...settings, device: "auto" }, trials: "made" });
  const { parameters, write } = buildUnet(size);
  await write(folder);
  print(
    `A denoiser of ${(parameters / 1e6).toFixed(1)} million parameters in float32, latents ${size.latent} x ${size.latent}, batch of 2`,
  );
  cells(["device", "load", "first step", "steps/s", "memory", "of the CPU's", "demo picture"]);
  const libraries = installedCuda(settings.data);
  const order: DeviceKind[] = ["cpu", "cuda", "webgpu"];
  for (const kind of order) {
    const device = devices.find((each) => each.kind === kind);
    if (device) row(device, await measure(device, folder, libraries));
    else
      print(
        `${kind.padEnd(44)} NOT RUN HERE: this machine has no such device that works (${cpus().length} processor threads)`,
      );
  }
  for (const { name, reason, remedy } of problems) print(`${name}: ${reason}. ${remedy}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
