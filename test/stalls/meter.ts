// Loaded into a server before its own code: tells on a port of its own how long the server's thread worked between two turns
// of its event loop.
import { writeFileSync } from "node:fs";
import { cpuOfThread, yardstick } from "../support/yardstick.ts";

/** Milliseconds of the longest turn since it was last asked, and of a yard of plain work. */
export type Metered = { longest: number; yard: number };

/** The file that the port is written to. */
const target = process.env.FORECOURT_TEST_METER;

let longest = 0;
let before = cpuOfThread();

function look(): void {
  const now = cpuOfThread();
  longest = Math.max(longest, now - before);
  before = now;
}

/** Of all the processes that this is loaded into. */
if (target && process.argv.includes("serve")) {
  const yard = yardstick();
  setInterval(look, 1);
  const { port } = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch() {
      look();
      const told: Metered = { longest, yard };
      longest = 0;
      return Response.json(told);
    },
  });
  writeFileSync(target, String(port));
}
