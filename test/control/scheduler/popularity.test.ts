// What is expected of a model from when it was asked for.
import { expect, test } from "bun:test";
import {
  asked,
  type Custom,
  customOf,
  expectedRate,
  type Popularity,
  unknown,
  worthOf,
  worthOfLast,
} from "../../../src/control/scheduler/popularity.ts";
import { instant } from "../../../src/core/units.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const BEGIN = 1_000 * HOUR;

/** Where every second request has another behind it. */
const usual: Custom = { since: instant(BEGIN), goesOn: 0.5, at: instant(BEGIN) };

/** Asked for at these moments after the box's first request. */
function after(...moments: number[]): Popularity {
  const [first = 0] = moments;
  return moments.reduce((known, at) => asked(known, instant(BEGIN + at), usual), unknown(instant(BEGIN + first)));
}
const every = (pause: number, until: number, from = 0) =>
  Array.from({ length: Math.floor((until - from) / pause) }, (_, at) => from + at * pause);
const anHour = (popularity: Popularity, at: number, custom = usual) =>
  3_600 * expectedRate(popularity, instant(BEGIN + at), custom);

test("what comes steadily is expected as often as it came", () => {
  const moments = every(HOUR / 4, 100 * HOUR);
  expect(anHour(after(...moments), 100 * HOUR)).toBeWithin(3.5, 4.5);
});

test("a box that is an hour old counts by the hour, not by the days that it has not seen", () => {
  expect(anHour(after(...every(HOUR / 6, HOUR)), HOUR)).toBeWithin(5, 7);
});

test("ten requests of one sitting count for less than ten sittings, once it is over", () => {
  const sitting = after(...every(5 * SECOND, 50 * SECOND));
  const apart = after(...every(300 * SECOND, 3_000 * SECOND));
  expect(anHour(sitting, HOUR)).toBeLessThan(anHour(apart, HOUR) / 3);
});

test("just after a request another one is likely, five minutes later it is not, even where few had others behind them", () => {
  const known = after(...every(HOUR, 50 * HOUR), 50 * HOUR);
  const [just, later] = [1, 300].map((seconds) => anHour(known, 50 * HOUR + seconds * SECOND));
  expect(just).toBeGreaterThan(5 * (later ?? 0));
  expect(later).toBeWithin(0.8, 1.5);
});

test("whose requests have others behind them is kept for longer than whose come alone", () => {
  const inSittings = after(...every(2 * HOUR, 40 * HOUR).flatMap((at) => [at, at + 10_000, at + 20_000]), 40 * HOUR);
  const alone = after(...every(HOUR / 1.5, 40 * HOUR), 40 * HOUR);
  const at = 40 * HOUR + 20 * SECOND;
  expect(anHour(inSittings, at)).toBeGreaterThan(1.5 * anHour(alone, at));
});

test("where requests of all models come alone, no second one is expected behind that of a model asked for once", () => {
  const moments = Array.from({ length: 50 }, (_, at) => at * HOUR);
  const alone = Array.from({ length: 10 }, () => after(...moments));
  const sittings = alone.map(() => after(...moments.flatMap((at) => [at, at + 10 * SECOND])));
  const now = instant(BEGIN + 50 * HOUR);
  const once = after(50 * HOUR);
  const [single, another] = [alone, sittings].map((all) => anHour(once, 50 * HOUR + SECOND, customOf(all, now)));
  expect(another).toBeGreaterThan(10 * (single ?? 0));
});

test("one that is asked for all the time is not taken to have sittings: its requests come anyway", () => {
  const dice = seededRandom(5);
  let at = 0;
  const moments = Array.from({ length: 3_000 }, () => {
    at += -Math.log(1 - dice()) * 10 * SECOND;
    return at;
  });
  const alone = { ...usual, goesOn: 0 };
  const known = moments.reduce(
    (popularity, each) => asked(popularity, instant(BEGIN + each), alone),
    unknown(instant(BEGIN)),
  );
  const [just, later] = [1, 120].map((seconds) => anHour(known, at + seconds * SECOND, alone));
  expect(later).toBeGreaterThan(0.7 * (just ?? 0));
  expect(just).toBeWithin(250, 500);
});

test("loading for ten times as long is worth more, but not ten times as much: somebody has to wait either way", () => {
  expect(worthOf(1, 20_000) / worthOf(1, 2_000)).toBeWithin(2, 4);
});

test("the last of several runners is worth what it saves: little where few requests come at a time, no cold starts in any case", () => {
  const worthOfSecond = (underWay: number) => worthOfLast({ worth: 20_000, underWay }, 2);
  expect(worthOfLast({ worth: 20_000, underWay: 0.1 }, 1)).toBe(20_000);
  expect(worthOfSecond(0.1)).toBeCloseTo(100 / 11);
  expect(worthOfSecond(3)).toBeCloseTo(3_000 * 0.75);
  expect(worthOfLast({ worth: 20_000, underWay: 3 }, 20)).toBeLessThan(0.01);
  expect(worthOfLast({ worth: 20_000 }, 2)).toBe(10_000);
});

test("a favourite of two days is remembered after an idle night, and what has risen in the last hours is seen", () => {
  const old = after(...every(HOUR / 4, 48 * HOUR));
  const single = after(47 * HOUR);
  expect(anHour(old, 60 * HOUR)).toBeGreaterThan(10 * anHour(single, 60 * HOUR));
  const risen = after(...every(HOUR / 12, 60 * HOUR, 57 * HOUR));
  expect(anHour(risen, 60 * HOUR)).toBeGreaterThan(anHour(old, 60 * HOUR));
});

test("a clock that was set back does not make it forget or explode", () => {
  const known = asked(after(...every(HOUR, 10 * HOUR)), instant(BEGIN + 5 * HOUR), usual);
  expect(anHour(known, 5 * HOUR)).toBeWithin(0.5, 1_000);
});

test("what requests told of others behind them is forgotten with the weeks", () => {
  const alone = after(...every(HOUR, 100 * HOUR));
  const goesOn = (at: number) => customOf([alone], instant(BEGIN + at)).goesOn;
  expect(goesOn(100 * HOUR)).toBeLessThan(0.2);
  expect(goesOn(1_000 * HOUR)).toBeWithin(0.49, 0.51);
});

test("the last of two runners is worth the requests that find the other busy, and never more than all of them", () => {
  // Erlang's formula: 0.9 under way find one of one busy in 0.9 / 1.9 of the cases.
  expect(worthOfLast({ worth: 5, underWay: 0.9 }, 2)).toBeCloseTo((5 * 0.9) / 1.9, 9);
  expect(worthOfLast({ worth: 5_000, underWay: 0.9 }, 2)).toBeCloseTo((900 * 0.9) / 1.9, 9);
});
