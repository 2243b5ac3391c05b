// What was spent and is set aside, by account, unit and window: a mirror in memory of usage rows and reservations, read
// when it is first needed. Forgetting any of it is always safe.
import type { JobId } from "../../core/ids.ts";
import { type Account, accountsOf, type Budget, type Limits } from "./account.ts";
import type { Reservation, UsageStore } from "./usage-store.ts";
import { type TimeWindow, windowAt } from "./windows.ts";

export type Counter = TimeWindow & { spent: number; reserved: number };

export type Counters = {
  /** Of the window in which `at` lies. */
  of(account: Account, budget: Budget, at: number): Counter;
  /** What an open job has set aside. */
  reservation(job: JobId): Reservation | undefined;
  /** After the reservation was written. */
  reserved(reservation: Reservation): void;
  /** After the job's end was written: what it had set aside is free again, and `spent` is what it came to. */
  settled(job: Pick<Reservation, "job" | "key" | "team" | "model" | "at">, spent: Record<string, number>): void;
  /** Before the next look everything is read again. */
  forget(): void;
};

type CounterParts = Pick<UsageStore, "used" | "reservations"> & {
  limitsOf: (account: Account) => Limits;
  /** Its counters need not be at hand. */
  isOver: (account: Account) => boolean;
};

/** Of so many counters those of keys that are over are looked for. */
const MANY = 1_000;

type Counted = Pick<Reservation, "key" | "team" | "model" | "at">;

export function createCounters({ used, reservations: readReservations, limitsOf, isOver }: CounterParts): Counters {
  let open: Map<string, Reservation> | undefined;
  const counters = new Map<string, Counter & { account: Account }>();
  let sweepAt = MANY;
  const sweep = () => {
    for (const [id, { account }] of counters) if (isOver(account)) counters.delete(id);
    sweepAt = Math.max(MANY, 2 * counters.size);
  };

  const reservations = () => {
    open ??= new Map(readReservations().map((each) => [each.job, each]));
    return open;
  };
  const setAside = (account: Account, unit: string, { start, end }: TimeWindow) => {
    let sum = 0;
    for (const each of reservations().values())
      if (each.at >= start && each.at < end && each[account.kind] === account.id) sum += each.amounts[unit] ?? 0;
    return sum;
  };
  const of = (account: Account, { unit, window: name }: Budget, at: number): Counter => {
    const id = idOf(account, unit, name);
    const known = counters.get(id);
    if (known && at >= known.start && at < known.end) return known;
    // One window of each is kept; whoever needs an older one reads it again.
    const window = windowAt(at, name);
    const spent = used(account, unit, { ...window, name });
    const made = { ...window, spent, reserved: setAside(account, unit, window), account };
    if (counters.size >= sweepAt) sweep();
    counters.set(id, made);
    return made;
  };
  /** Calls for every counter in memory that the job counts for. */
  const each = (job: Counted, act: (counter: Counter, unit: string) => void) => {
    for (const account of accountsOf({ ...job, team: job.team ?? undefined }))
      for (const { unit, window } of distinct(limitsOf(account).budgets)) {
        const counter = counters.get(idOf(account, unit, window));
        if (counter && job.at >= counter.start && job.at < counter.end) act(counter, unit);
      }
  };

  return {
    of,
    reservation: (job) => reservations().get(job),
    reserved(reservation) {
      reservations().set(reservation.job, reservation);
      each(reservation, (counter, unit) => {
        counter.reserved += reservation.amounts[unit] ?? 0;
      });
    },
    settled(job, spent) {
      const reservation = reservations().get(job.job);
      reservations().delete(job.job);
      each(job, (counter, unit) => {
        counter.reserved -= reservation?.amounts[unit] ?? 0;
        counter.spent += spent[unit] ?? 0;
      });
    },
    forget() {
      open = undefined;
      counters.clear();
    },
  };
}

const idOf = ({ kind, id }: Account, unit: string, window: string) => `${kind} ${unit} ${window} ${id}`;

const NONE: Budget[] = [];

/** Two budgets of one unit and window (a soft one below a hard one) share a counter. */
function distinct(budgets: Budget[] = NONE): Budget[] {
  if (budgets.length < 2) return budgets;
  return budgets.filter(
    ({ unit, window }, at) => budgets.findIndex((other) => other.unit === unit && other.window === window) === at,
  );
}
