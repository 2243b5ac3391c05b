// What arrives on a runner's channel, as a message. It comes from the same executable, but through a process that runs native code:
// what went astray there must not be billed, waited for or shown, and is a failure of the runner at once.
import { ERROR_CODES } from "../../core/errors.ts";
import type { FromRunner } from "../../engine/protocol.ts";

type Fields = Record<string, unknown>;
/** Of its fields; throws what is wrong with them. */
type Check = (fields: Fields) => void;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** In JSON, numbers that are none are null. Nothing here is measured below zero. */
function expectAmount(fields: Fields, ...names: string[]): void {
  for (const name of names)
    if (!(typeof fields[name] === "number" && fields[name] >= 0 && fields[name] < Number.POSITIVE_INFINITY))
      throw wrong(name, fields[name]);
}

function expectText(fields: Fields, ...names: string[]): void {
  for (const name of names) if (typeof fields[name] !== "string") throw wrong(name, fields[name]);
}

function expectOneOf(fields: Fields, name: string, values: ReadonlySet<unknown>): void {
  if (!values.has(fields[name])) throw wrong(name, fields[name]);
}

/** What was there instead is shown, but for what callers may have sent. */
function wrong(name: string, value: unknown): Error {
  const seen = typeof value === "number" ? String(value) : value === null ? "null" : typeof value;
  return new Error(`${name} is ${seen}`);
}

const CODES: ReadonlySet<unknown> = new Set(ERROR_CODES);
const LEVELS: ReadonlySet<unknown> = new Set(["debug", "info", "warn", "error"]);

function expectFailure({ failure }: Fields): void {
  if (!isFields(failure)) throw wrong("failure", failure);
  expectOneOf(failure, "code", CODES);
  expectText(failure, "message");
}

function expectPlace(fields: Fields): void {
  expectText(fields, "batch");
  if (!Number.isSafeInteger(fields.index)) throw wrong("index", fields.index);
  expectAmount(fields, "index");
}

/** What the runner's own check of a pipeline's steps lets pass, and its bound for what a request counts. */
const MOST_UNITS = 1e9;

const STEPS: Record<string, Check> = {
  progress: (step) => expectAmount(step, "at", "of"),
  partial() {},
  output({ units, value }) {
    if (!isFields(value)) throw wrong("value", value);
    if (!isFields(units)) throw wrong("units", units);
    for (const name in units) {
      expectAmount(units, name);
      if ((units[name] as number) > MOST_UNITS) throw wrong(name, units[name]); // a number: looked at above
    }
  },
};

const MESSAGES: Record<FromRunner["type"], Check> = {
  hello: (message) => expectAmount(message, "pid"),
  ready(message) {
    expectAmount(message, "memory", "loadMs");
    expectText(message, "device");
  },
  tried: (message) => expectAmount(message, "ms"),
  step(message) {
    expectPlace(message);
    const { step } = message;
    const check = isFields(step) && typeof step.type === "string" && Object.hasOwn(STEPS, step.type);
    if (!check) throw wrong("step", step);
    STEPS[step.type as string]?.(step); // looked up above
  },
  failed(message) {
    expectPlace(message);
    expectFailure(message);
  },
  idle(message) {
    expectText(message, "batch");
    expectAmount(message, "memory", "runMs");
  },
  "job-log"(message) {
    expectPlace(message);
    expectText(message, "message");
  },
  log(message) {
    expectOneOf(message, "level", LEVELS);
    expectText(message, "message");
  },
  fatal: expectFailure,
};

/** Throws an error that says what is wrong with it. */
export function readMessage(message: unknown): FromRunner {
  if (!isFields(message)) throw new Error("it is no object");
  const { type } = message;
  if (typeof type !== "string" || !Object.hasOwn(MESSAGES, type)) throw new Error("there is no such kind");
  MESSAGES[type as FromRunner["type"]](message); // looked up above
  return message as FromRunner; // just checked
}
