// Budgets as people write them: `10 USD/day`, `500 requests/month`, `100 images/hour soft`.
import { ForecourtError } from "../../core/errors.ts";
import { type Micros, micros, microsText, type Nanos, nanos, nanosText } from "../../core/money.ts";
import { type Budget, isCurrency } from "./account.ts";
import { expectCounted } from "./counted-units.ts";
import { WINDOW_NAMES, type WindowName } from "./windows.ts";

const FORM = /^(\d+(?:\.\d+)?)\s*([A-Z]{3}|[a-z][a-z_]*)\s*(?:\/|\s+per\s+)\s*([a-z]+)(\s+soft)?$/;
/** Nine million units: beyond it nanos are no longer exact. */
const LARGEST = 9_000_000;

/** Throws `bad_request` with what is expected, and for units that nothing counts. */
export function parseBudget(text: string): Budget {
  const [, amount = "", unit = "", window = "", soft] = FORM.exec(text.trim()) ?? [];
  const isKnown = (WINDOW_NAMES as readonly string[]).includes(window);
  const value = Number(amount);
  if (!isKnown || value > LARGEST * (isCurrency(unit) ? 1 : 1000)) throw wrong(text);
  if (/^[a-z]{3}$/.test(unit))
    throw new ForecourtError(
      "bad_request",
      `The budget '${text}': write the currency in capital letters, ${unit.toUpperCase()}.`,
    );
  if (!isCurrency(unit)) expectCounted(plural(unit));
  return {
    unit: isCurrency(unit) ? unit : plural(unit),
    amount: isCurrency(unit) ? nanos(value) : micros(value),
    window: window as WindowName, // checked above
    ...(soft && { isSoft: true }),
  };
}

/** What pipelines count is named in the plural. */
export const plural = (unit: string) => (unit.endsWith("s") ? unit : `${unit}s`);

export const budgetText = ({ amount, unit, window, isSoft }: Budget) =>
  `${amountText(unit, amount)}/${window}${isSoft ? " soft" : ""}`;

/** `10 USD`, `500 requests`. */
export const amountText = (unit: string, amount: number) =>
  `${isCurrency(unit) ? nanosText(amount as Nanos) : microsText(amount as Micros)} ${unit}`;

function wrong(text: string) {
  const form = "an amount of a currency, of requests or of a price's unit per hour, day or month";
  return new ForecourtError(
    "bad_request",
    `The budget '${text.slice(0, 100)}' should be ${form}, e.g. '10 USD/day' or '500 requests/month'; 'soft' at its end only warns.`,
  );
}
