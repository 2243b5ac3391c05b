// Branded quantities, so that bytes, instants and durations are never mixed up.
declare const brand: unique symbol;
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Size in bytes. */
export type Bytes = Branded<number, "Bytes">;
/** UTC milliseconds since the epoch. */
export type Instant = Branded<number, "Instant">;
/** A duration in milliseconds. */
export type Milliseconds = Branded<number, "Milliseconds">;

export const bytes = (n: number) => n as Bytes;
export const instant = (n: number) => n as Instant;
export const milliseconds = (n: number) => n as Milliseconds;

export const MIB = 1024 * 1024;
