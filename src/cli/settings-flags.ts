// The flags of settings that commands share, and the settings that follow from them.
import type { Command } from "commander";
import { resolveSettings } from "../control/settings.ts";

/** What commander makes of the flags below. */
export type SettingsFlags = { config?: string; data?: string; host?: string; port?: string; device?: string };
type Flag = Exclude<keyof SettingsFlags, "config">;

const flags: Record<Flag, [syntax: string, description: string]> = {
  data: ["--data <dir>", "data directory"],
  host: ["--host <address>", "address of the server"],
  port: ["--port <number>", "port of the server"],
  device: ["--device <kind>", "where models run: auto, cpu, webgpu or cuda"],
};

export function withSettings(command: Command, which: Flag[] = ["data"]): Command {
  command.option("--config <file>", "settings file instead of <data>/appliance.yaml");
  for (const flag of which) command.option(...flags[flag]);
  return command;
}

/** Throws `misconfigured`. */
export function settingsOf({ config, data, host, port, device }: SettingsFlags) {
  return resolveSettings({ flags: { data, host, port, device }, ...(config !== undefined && { config }) });
}
