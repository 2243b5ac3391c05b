// Doctor's report for people.
import { roomText } from "../../control/data-room.ts";
import type { Trial } from "../../control/hardware/card.ts";
import { sizeText, table } from "../terminal.ts";
import type { DataFacts, Report, RuntimeFacts, ServerFacts } from "./report.ts";

export function reportText(report: Report): string {
  const { version, system, data, storage, runtime, server, models } = report;
  const facts: [string, string][] = [
    ["forecourt", `${version.version} (${version.commit ?? "from source"})`],
    ["system", `${system.name}, kernel ${system.kernel}, glibc ${system.glibc ?? "unknown"}`],
    ["data", `${data.path} (${data.state}), ${sizeText(data.freeBytes)} of ${sizeText(data.totalBytes)} free`],
    ["room", roomText(data.room) || "nothing is taken yet"],
    ["database", databaseText(data)],
    ["files", storage.reason === null ? storage.place : `${storage.place}, which cannot be used`],
    ["libraries", runtimeText(runtime)],
    ["server", serverText(server)],
    ["models", String(models)],
  ];
  const lines = facts.map(([name, value]) => `${name.padEnd(11)}${value}`);
  return [...lines, "", devicesText(report), "", settingsText(report), "", verdictText(report)].join("\n");
}

function databaseText({ hasDatabase, database }: DataFacts): string {
  if (!hasDatabase) return "made at the first start";
  if (!database) return "present";
  const { bytes, unusedBytes } = database;
  return `${sizeText(bytes)}, of which ${sizeText(unusedBytes)} are free for later rows`;
}

function runtimeText(runtime: RuntimeFacts): string {
  if (runtime.source === "node_modules") return "from node_modules";
  if (runtime.isUnpacked) return `unpacked in ${runtime.path}`;
  return `${sizeText(runtime.bytes)}, unpacked at the first start to ${runtime.path}`;
}

function serverText({ origin, state }: ServerFacts): string {
  switch (state) {
    case "ready":
      return `ready at ${origin}`;
    case "starting":
      return `at ${origin}, not ready yet`;
    case "silent":
      return `at ${origin}, does not answer`;
    case "free":
      return `not running; ${origin} is free`;
    case "foreign":
      return `${origin} is taken`;
  }
}

const devicesText = ({ devices, trials = [] }: Report) =>
  table(
    ["device", "name", "memory", "free", "driver", "test inference"],
    devices.map(({ id, kind, name, memory, driver }) => [
      id,
      name,
      sizeText(memory.total),
      sizeText(memory.free),
      driver ?? "",
      kind === "cpu" ? "" : trialText(trials.find(({ device }) => device === id)),
    ]),
  );

const trialText = (trial: Trial | undefined) =>
  trial === undefined ? "not tried" : `passed in ${Math.round(trial.ms)} ms${trial.isRemembered ? ", earlier" : ""}`;

const settingsText = ({ settings }: Report) =>
  table(
    ["setting", "value", "from"],
    settings.map(({ name, value, origin }) => [name, JSON.stringify(value), origin]),
  );

function verdictText({ complaints }: Report): string {
  if (complaints.length === 0) return "All is well.";
  return complaints
    .map(({ severity, what, remedy }) => `${severity.toUpperCase().padEnd(9)}${what}\n         ${remedy}`)
    .join("\n");
}
