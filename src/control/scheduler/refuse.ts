// Why a waiting job will not run, if that is certain: late, too large for this box, or of a model that does not start.
import type { Failure } from "../../core/errors.ts";
import type { Facts, WaitingJob } from "./decide.ts";
import { fitsAlone, needOf } from "./fit.ts";

/**
 * Failed starts in a row after which waiting jobs are told: few when the runner said why, more when it just died, most
 * when something outside killed it (then a retry comes every 2 s, so jobs wait for about a minute and a half).
 */
const STARTS_BEFORE_REFUSAL = { explained: 2, unexplained: 10, killed: 40 };

export function reasonToRefuse({ model, startBy }: WaitingJob, facts: Facts): Failure | undefined {
  if (startBy !== undefined && startBy <= facts.now)
    return { code: "start_timeout", message: "The request did not start within the time that it asked for." };
  if (facts.runners.some((runner) => runner.model === model)) return undefined;
  const backOff = facts.backOffs.get(model);
  if (backOff && backOff.failures >= startsAllowed(backOff.reason)) return backOff.reason;
  const need = needOf(model, facts.footprint);
  if (facts.devices.some((device) => fitsAlone(need, device))) return undefined;
  const budget = Math.max(0, ...facts.devices.map((device) => device.budget));
  return {
    code: "insufficient_memory",
    message: `${model} needs ${mib(need)} MiB and models may take ${mib(budget)} MiB here; raise memory.budget_mb if the box has more.`,
    details: { needBytes: need, budgetBytes: budget },
  };
}

function startsAllowed({ code, details }: Failure): number {
  // Without a signal or exit code it was the runner itself that gave up, with what it says.
  if (code !== "runner_crashed" || details === undefined) return STARTS_BEFORE_REFUSAL.explained;
  return details?.signal === "SIGKILL" ? STARTS_BEFORE_REFUSAL.killed : STARTS_BEFORE_REFUSAL.unexplained;
}

const mib = (size: number) => Math.ceil(size / 1024 / 1024);
