// In place of a runner: loads and runs nothing, and once it is to load it writes to its channel what its argument says.
import { readdirSync, readlinkSync, writeSync } from "node:fs";

const [, , astray] = process.argv;

/** Standard error is a socket too, in a child of Bun's. */
const channel = () =>
  readdirSync("/proc/self/fd").find(
    (name) => Number(name) > 2 && readlinkSync(`/proc/self/fd/${name}`).startsWith("s"),
  );

process.on("message", () => {
  if (astray === "closed") process.disconnect?.();
  else if (astray?.startsWith("raw ")) writeSync(Number(channel()), `${astray.slice(4)}\n`);
  else process.send?.(JSON.parse(astray ?? ""));
});
process.send?.([{ type: "hello", pid: process.pid }]);
setInterval(() => {}, 1_000);
