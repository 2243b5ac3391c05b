// A process of its own that holds a fleet with one busy runner; prints the runner's process id.
import { watchFleet } from "./fleet-watcher.ts";

const watched = await watchFleet();
const { runner, pid } = await watched.start();
watched.run(runner, [{ prompt: "hello", steps: 1000, step_ms: 50 }]);
await watched.next("step");
process.stdout.write(`${pid}\n`);
