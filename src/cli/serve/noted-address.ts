// Where the server of a data directory listens, written there for the commands that talk to it.
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../control/process-alive.ts";
import { parse, type Static, Type } from "../../core/schema.ts";

const addressSchema = Type.Object({
  pid: Type.Integer({ minimum: 1 }),
  host: Type.String({ minLength: 1 }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  isTls: Type.Boolean(),
});

export type NotedAddress = Omit<Static<typeof addressSchema>, "pid">;

const fileIn = (data: string) => join(data, "server.address");

/** Until it is disposed, or this process ends. */
export function noteAddress(data: string, address: NotedAddress): Disposable {
  const file = fileIn(data);
  writeFileSync(file, `${JSON.stringify({ pid: process.pid, ...address })}\n`, { mode: 0o600 });
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

/** Undefined where no server lives, or none that this account may know of. */
export function notedAddress(data: string): NotedAddress | undefined {
  try {
    const { pid, ...address } = parse(addressSchema, JSON.parse(readFileSync(fileIn(data), "utf8")));
    return isAlive(pid) ? address : undefined;
  } catch {
    return undefined; // there is no such file, or it is not ours to read
  }
}

/** When the server that lives began, in milliseconds of the file system's clock. */
export const notedSince = (data: string): number | undefined =>
  notedAddress(data) && statSync(fileIn(data), { throwIfNoEntry: false })?.mtimeMs;
