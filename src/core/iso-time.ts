// Instants as text. The database may hold numbers beyond all dates, from whoever wrote to it by other ways.

/** Milliseconds from 1970 to the last date there is, and back to the first. */
const FURTHEST = 8.64e15;

/** Beyond all dates it is the last one, or the first: a list is still a list. */
export const dateOf = (at: number) => new Date(Math.max(-FURTHEST, Math.min(FURTHEST, at)));

/** `2026-11-22T04:28:00.000Z`; null for what has not happened. */
export function isoTime(at: number): string;
export function isoTime(at: number | null | undefined): string | null;
export function isoTime(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : dateOf(at).toISOString();
}
