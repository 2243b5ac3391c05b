// The passing of time, as a parameter: tests hand in their own.
import { type Instant, instant } from "./units.ts";

export type Clock = { now(): Instant };

export const systemClock: Clock = { now: () => instant(Date.now()) };
