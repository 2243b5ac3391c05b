// The metrics of the platform API's analytics: pure functions of the facts of requests that are over.
import type { UsageFact } from "../../control/accounts/usage-facts-store.ts";
import type { ErrorCode } from "../../core/errors.ts";
import { statusOf } from "../failures.ts";

type Facts = readonly UsageFact[];

/** Each failure of the box belongs to one kind; what is not named here is the run's own. */
const kinds: Partial<Record<ErrorCode, "startup" | "connection" | "timeout">> = {
  weights_missing: "startup",
  insufficient_memory: "startup",
  unavailable: "startup",
  misconfigured: "startup",
  device_lost: "connection",
  runner_crashed: "connection",
  runner_hung: "connection",
  start_timeout: "timeout",
  run_timeout: "timeout",
};

const httpStatus = ({ outcome, code }: UsageFact): number => {
  if (outcome === "done") return 200;
  return statusOf({ code: outcome === "cancelled" ? "client_cancelled" : (code ?? "internal"), message: "" });
};
const isError = (fact: UsageFact) => httpStatus(fact) >= 500;
const isOfKind = (kind: "startup" | "connection" | "timeout" | undefined) => (fact: UsageFact) =>
  isError(fact) && (fact.code === null ? undefined : kinds[fact.code]) === kind;

const count = (is: (fact: UsageFact) => boolean) => (facts: Facts) => facts.filter(is).length;

const secondsOf = (times: (number | null)[]) => times.flatMap((ms) => (ms === null ? [] : [ms / 1000]));

/** Seconds of work of those that succeeded. */
const durations = (facts: Facts) => secondsOf(facts.map(({ runMs }) => runMs));
/** Seconds from the submission to the start, of the same: waiting, and loading where that was needed. */
const preparations = (facts: Facts) =>
  secondsOf(facts.map(({ queueMs, loadMs }) => (queueMs === null ? null : queueMs + (loadMs ?? 0))));
/** Seconds that a load took, of those that waited for one. */
const coldBoots = (facts: Facts) => secondsOf(facts.map(({ loadMs }) => loadMs || null));

/** By nearest rank; null of nothing. */
export function percentile(values: number[], share: number): number | null {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)] ?? null;
}

const percentiles = <Share extends number, Name extends string>(
  shares: readonly Share[],
  name: Name,
  values: (facts: Facts) => number[],
) =>
  Object.fromEntries(
    shares.map((share) => [`p${share}_${name}`, (facts: Facts) => percentile(values(facts), share)]),
  ) as Record<`p${Share}_${Name}`, (facts: Facts) => number | null>; // Object.fromEntries forgets the names

const metrics = {
  request_count: (facts: Facts) => facts.length,
  success_count: count(({ outcome }) => outcome === "done"),
  user_error_count: count((fact) => httpStatus(fact) >= 400 && !isError(fact)),
  error_count: count(isError),
  startup_error_count: count(isOfKind("startup")),
  connection_error_count: count(isOfKind("connection")),
  timeout_error_count: count(isOfKind("timeout")),
  runtime_error_count: count(isOfKind(undefined)),
  ...percentiles([50, 75, 90, 95, 99] as const, "prepare_duration", preparations),
  ...percentiles([25, 50, 75, 90, 95, 99] as const, "duration", durations),
  cold_boot_count: (facts: Facts) => coldBoots(facts).length,
  ...percentiles([50, 75, 90] as const, "cold_boot_duration", coldBoots),
  total_billable_duration: (facts: Facts) => durations(facts).reduce((sum, each) => sum + each, 0),
};

export type MetricName = keyof typeof metrics;
export const metricNames = Object.keys(metrics) as MetricName[];

export const measure = (facts: Facts, names: MetricName[]) =>
  Object.fromEntries(names.map((name) => [name, metrics[name](facts)]));
