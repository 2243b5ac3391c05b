// A process that starts a runner, prints its process id and is killed before the runner can have done anything.
import { runnerCommand, spawnRunner } from "../../src/control/fleet/spawn.ts";

const ignore = () => {};
const child = spawnRunner({
  command: runnerCommand(),
  onMessage: ignore,
  onLine: ignore,
  onBroken: ignore,
  onExit: ignore,
});
process.stdout.write(`${child.pid}\n`);
process.kill(process.pid, "SIGKILL");
