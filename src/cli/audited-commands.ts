// Which commands are administrative acts.
import type { Command } from "commander";

/** Commands that only look are not among them. */
const ADMINISTRATIVE = new Set([
  ...["keys create", "keys revoke", "keys rotate", "keys limit", "limits set", "prices set", "prices remove"],
  ...["models add", "models pull", "models remove", "models import", "models export", "models update"],
  ...["backup", "restore", "rollback", "tls init", "runtime install", "runtime remove"],
]);

const leftToServer = new WeakSet<Command>();

/** Of a command that a server was asked to carry out: it has written down the act, for whom it was told. */
export const leaveToServer = (command: Command) => void leftToServer.add(command);

export const isAudited = (command: Command) => ADMINISTRATIVE.has(pathOf(command)) && !leftToServer.has(command);

/** `keys create` of the command `forecourt keys create`. */
export function pathOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each?.parent; each = each.parent) names.unshift(each.name());
  return names.join(" ");
}
