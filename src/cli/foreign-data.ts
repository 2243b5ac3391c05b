// Root acting on the data directory of the service's account: what it leaves there, the service can read at most.
import { existsSync, statSync } from "node:fs";
import { accountName } from "./account-name.ts";

/** Commands that leave files behind which the server changes or removes later. `restore` hands over what it writes. */
const LEAVING_FILES = new Set(["models add", "models pull", "models import", "models update", "runtime install"]);

/** What to say of it, if anything. Nothing is handed over on root's own account: the service's could lead it elsewhere by links. */
export function foreignDataNote({ command, data }: { command: string; data: string }): string | undefined {
  if (process.getuid?.() !== 0 || !LEAVING_FILES.has(command) || !existsSync(data)) return undefined;
  const { uid } = statSync(data);
  if (uid === 0) return undefined;
  const owner = accountName(uid);
  return `forecourt: ${data} belongs to ${owner}, and what root wrote there now belongs to root: the server may fail to change it. Hand it over with \`chown -R ${owner}: "${data}"\`, and run such commands as \`sudo -u ${owner} forecourt ${command} …\`.`;
}
