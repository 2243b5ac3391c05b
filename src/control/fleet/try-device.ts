// A test inference on a device, in a runner process that is there for nothing else.
import { systemTimers, type Timers } from "../../core/clock.ts";
import type { Device } from "../../core/device.ts";
import { type Failure, ForecourtError, toFailure } from "../../core/errors.ts";
import { type Milliseconds, milliseconds } from "../../core/units.ts";
import type { FromRunner } from "../../engine/protocol.ts";
import { environmentOf } from "./environment.ts";
import { type ChildExit, runnerCommand, spawnRunner } from "./spawn.ts";

export type TrialOrder = {
  device: Device;
  /** Where the runner unpacks its native libraries. */
  runtime: string;
  libraries?: string | undefined;
  command?: readonly string[];
  /** A first start of CUDA on a box of eight cards, or a software Vulkan on a busy one, takes some twenty seconds. */
  limit?: Milliseconds;
  timers?: Timers;
};

/** Resolves to the milliseconds that it took; throws the reason why the device is of no use. */
export async function tryDevice({ device, runtime, libraries, ...options }: TrialOrder): Promise<number> {
  const { command = runnerCommand(), limit = milliseconds(90_000), timers = systemTimers } = options;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const hear = (message: FromRunner) => {
    if (message.type === "hello") child.send({ type: "try", device, runtime, libraries });
    if (message.type === "tried") resolve(message.ms);
    if (message.type === "fatal") reject(ForecourtError.from(message.failure));
  };
  const child = spawnRunner({
    command: [...command, `trial of ${device.id}`],
    environment: environmentOf(device, libraries),
    onMessage: hear,
    onLine() {},
    onBroken: (why) => reject(ForecourtError.from({ code: "runner_crashed", message: why })),
    onExit: (exit) => reject(ForecourtError.from(died(exit))),
  });
  const callOff = timers.after(limit, () => reject(ForecourtError.from(tooSlow(limit))));
  try {
    return await promise;
  } catch (error) {
    throw ForecourtError.from(toFailure(error));
  } finally {
    callOff();
    child.kill();
  }
}

const died = ({ code, signal, lastLines }: ChildExit): Failure => ({
  code: "runner_crashed",
  message: `its process ${signal === null ? `left with exit code ${code}` : `was ended by ${signal}`}${lastLines.length > 0 ? `: ${lastLines.at(-1)}` : ""}`,
});

const tooSlow = (limit: Milliseconds): Failure => ({
  code: "runner_hung",
  message: `it gave no result within ${limit / 1000} s`,
});
