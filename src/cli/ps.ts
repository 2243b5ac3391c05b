// `forecourt ps`: what the running server has loaded and what waits.
import { Command } from "commander";
import { ForecourtError } from "../core/errors.ts";
import { wrongUsage } from "./failure.ts";
import { findServer, originOf, placeOf, stateOf } from "./running-server.ts";
import { type SettingsFlags, settingsOf, withSettings } from "./settings-flags.ts";
import { note, printJson, printLine, sizeText, table } from "./terminal.ts";

/** The parts that are shown of what GET /admin/v1/status answers. */
type Status = {
  devices: {
    id: string;
    name: string;
    state: string;
    memory: { total: number; free: number };
    budget: number;
    utilisation: number | null;
  }[];
  problems: { name: string; reason: string; remedy: string }[];
  models: {
    model: string;
    residency: string;
    pool: string | null;
    requests_an_hour: number;
    waiting: number;
    estimated_wait_ms: number | null;
  }[];
  runners: {
    model: string;
    device: string;
    dtype: string | null;
    state: string;
    memory: number;
    pid: number | null;
    last_used_at: string;
  }[];
  back_offs: { model: string; until: string; reason: string }[];
  downloads: PublishedDownload[];
  requests: { running: number; waiting: number };
};

/** Weights on their way, as the server tells it. */
export type PublishedDownload = {
  model: string;
  dtype: string | null;
  bytes: number;
  wanted_bytes: number;
  notice: string | null;
};

type Flags = SettingsFlags & { wait?: string; json?: true };

export const ps = () =>
  withSettings(new Command("ps"), ["data", "host", "port"])
    .description("Shows the models that the running server has loaded, and its queue.")
    .option("--wait <seconds>", "wait this long for a server to become ready")
    .option("--json", "print as JSON")
    .action(async ({ wait, json, ...flags }: Flags) => {
      const resolved = settingsOf(flags);
      if (wait !== undefined) await untilReady(() => placeOf(resolved), secondsOf(wait));
      const place = placeOf(resolved);
      const server = await findServer(place);
      if (!server) throw notRunning(place);
      const status = (await (await server.ask("/admin/v1/status")).json()) as Status; // our own server's answer
      if (json) return printJson(status);
      print(status);
    });

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !Number.isFinite(seconds) || seconds < 0)
    throw wrongUsage(`--wait ${text}: write a number of seconds.`);
  return seconds;
}

function notRunning(place: ReturnType<typeof placeOf>): ForecourtError {
  const [none, other] = place.isGuess
    ? [`No server of ${place.data} runs`, "the data directory of another with --data"]
    : [`No server runs at ${originOf(place)}`, "its --host and --port"];
  return new ForecourtError("unavailable", `${none}. Start one with \`forecourt serve\`, or name ${other}.`);
}

/** How often a server that is coming up is asked. */
const POLL_MS = 50;

/** A server that is coming up may yet say where. */
async function untilReady(place: () => ReturnType<typeof placeOf>, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while ((await stateOf(place())) !== "ready") {
    if (performance.now() > end) throw notRunning(place());
    await Bun.sleep(POLL_MS);
  }
}

function print({ devices, problems, models, runners, back_offs, downloads, requests }: Status): void {
  const cards = devices.map(({ id, name, state, memory, budget, utilisation }) => [
    id,
    state,
    `${sizeText(memory.free)} of ${sizeText(memory.total)}`,
    sizeText(budget),
    utilisation === null ? "" : `${Math.round(utilisation * 100)} %`,
    name,
  ]);
  printLine(table(["device", "state", "free", "for models", "busy", "name"], cards));
  for (const { name, reason, remedy } of problems) note(`${name}: ${reason}. ${remedy}`);
  const rows = runners.map(({ model, device, dtype, state, memory, pid, last_used_at }) => [
    model,
    device,
    dtype ?? "",
    state,
    sizeText(memory),
    String(pid ?? ""),
    last_used_at.slice(0, 19).replace("T", " "),
  ]);
  if (rows.length > 0)
    printLine(table(["model", "device", "dtype", "state", "memory", "pid", "last used (UTC)"], rows));
  else note("No model is loaded; the first request of each loads it.");
  const standing = models.map(({ model, residency, pool, requests_an_hour, waiting, estimated_wait_ms }) => [
    model,
    residency,
    pool ?? "",
    requests_an_hour.toFixed(1),
    String(waiting),
    estimated_wait_ms === null ? "" : `${(estimated_wait_ms / 1000).toFixed(1)} s`,
  ]);
  if (standing.length > 0) {
    const head = ["model", "kept", "pool", "requests/h", "waiting", "wait of the next"];
    printLine(table(head, standing));
  }
  for (const { model, bytes, wanted_bytes, notice } of downloads)
    note(
      `The weights of ${model} are fetched: ${sizeText(bytes)} of ${sizeText(wanted_bytes)}. ${notice ?? ""}`.trimEnd(),
    );
  for (const { model, until, reason } of back_offs)
    note(
      Date.parse(until) > Date.now()
        ? `${model} is not loaded again before ${until}: ${reason}`
        : `${model} is loaded again by the next request; its last runner failed: ${reason}`,
    );
  const { running, waiting } = requests;
  if (running + waiting > 0) note(`${running} running, ${waiting} waiting`);
}
