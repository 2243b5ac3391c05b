// What divides what.

/** The greatest of both. */
export const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

/** 0.3 is a multiple of 0.1, though not in doubles. */
export const isMultiple = (value: number, of: number) =>
  Math.abs(value / of - Math.round(value / of)) <= 1e-9 * Math.max(1, Math.abs(value / of));
