// Exact amounts: money in nanos, quantities in micros; both integers, so that sums are what they should be.
import type { Branded } from "./units.ts";

/** Money in 1e-9 of a currency's unit, as an integer. Exact up to 9 million units. */
export type Nanos = Branded<number, "Nanos">;
/** A quantity in 1e-6 of a unit (image, second, token...), as an integer. */
export type Micros = Branded<number, "Micros">;

/** Of one unit: beyond it the cost of a million units is no longer exact. */
export const HIGHEST_PRICE = 9_000;

/** From decimals as people write them: 0.003 is 3 000 000 nanos. */
export const nanos = (amount: number) => Math.round(amount * 1e9) as Nanos;
export const micros = (quantity: number) => Math.round(quantity * 1e6) as Micros;
export const addUp = <Amount extends number>(a: Amount, b: number) => (a + b) as Amount;

/** Quantity times price, to the nearest nano; by integers of any size, since products go beyond what a number holds. */
export const costOfQuantity = (quantity: Micros, price: Nanos) =>
  Number((BigInt(quantity) * BigInt(price) + 500_000n) / 1_000_000n) as Nanos;

/** `12.5`, without trailing zeros. */
export const nanosText = (amount: Nanos) => decimalText(amount, 9);
export const microsText = (quantity: Micros) => decimalText(quantity, 6);

function decimalText(amount: number, digits: number): string {
  const unit = 10 ** digits;
  if (amount % unit === 0) return String(amount / unit);
  const sign = amount < 0 ? "-" : "";
  const text = String(Math.abs(amount)).padStart(digits + 1, "0");
  let end = text.length;
  while (text[end - 1] === "0") end--;
  return `${sign}${text.slice(0, -digits)}.${text.slice(text.length - digits, end)}`;
}
