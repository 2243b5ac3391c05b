// In place of a runner: once it is to load, or after "busy " once it is to run, it writes to its channel what its argument says.
import { readdirSync, readlinkSync, writeSync } from "node:fs";
import type { ToRunner } from "../../src/engine/protocol.ts";

const [, , argument = ""] = process.argv;
const isBusyFirst = argument.startsWith("busy ");
const astray = isBusyFirst ? argument.slice(5) : argument;

/** Standard error is a socket too, in a child of Bun's. */
const channel = () =>
  readdirSync("/proc/self/fd").find(
    (name) => Number(name) > 2 && readlinkSync(`/proc/self/fd/${name}`).startsWith("s"),
  );

/** A line without an end, as fast as it is read; the channel does not wait. */
function flood(): void {
  const piece = Buffer.alloc(64 * 1024, "a");
  for (;;)
    try {
      writeSync(Number(channel()), piece);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
}

process.on("message", (message: ToRunner) => {
  if (isBusyFirst && message.type === "load")
    process.send?.([{ type: "ready", memory: 1, device: message.device.id, loadMs: 1 }]);
  else if (astray === "closed") process.disconnect?.();
  else if (astray === "endless") flood();
  else if (astray.startsWith("raw ")) writeSync(Number(channel()), `${astray.slice(4)}\n`);
  else process.send?.(JSON.parse(astray.replaceAll("$batch", message.type === "run" ? message.batch : "")));
});
process.send?.([{ type: "hello", pid: process.pid }]);
setInterval(() => {}, 1_000);
