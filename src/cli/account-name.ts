// Who runs this process, as the system knows it.
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";

/**
 * By the number of the account: userInfo() of Bun 1.4 believes the variable USER, which services lack and anyone can set.
 * That is asked only for accounts of a directory service; those of containers may have a number and no name.
 */
export function accountName(uid = process.getuid?.(), accounts = "/etc/passwd"): string {
  const local = linesOf(accounts).find(([, , number]) => number === String(uid));
  const { username } = userInfo();
  return local?.[0] ?? (username === "unknown" ? String(uid) : username);
}

function linesOf(file: string): string[][] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return []; // a container may have none
  }
}
