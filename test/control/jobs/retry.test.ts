// Who gets another attempt after what.
import { expect, test } from "bun:test";
import { afterServerDeath, afterSetback, type Setbacks } from "../../../src/control/jobs/retry.ts";
import type { Failure } from "../../../src/core/errors.ts";
import type { Wishes } from "../../../src/core/job.ts";

const none: Setbacks = { kills: 0, crashes: 0, interruptions: 0, errors: 0, timeouts: 0 };
const signal = (name: string): Failure => ({ code: "runner_crashed", message: "gone.", details: { signal: name } });
const plain = (code: Failure["code"]): Failure => ({ code, message: "gone." });

const cases: [string, Failure, Partial<Setbacks>, number, "again" | "give-up"][] = [
  ["the first kill", signal("SIGKILL"), {}, 3, "again"],
  ["the third kill", signal("SIGKILL"), { kills: 2 }, 3, "again"],
  ["the fourth kill", signal("SIGKILL"), { kills: 3 }, 3, "give-up"],
  ["a lost device", plain("device_lost"), {}, 3, "again"],
  ["the first fault", signal("SIGSEGV"), {}, 3, "again"],
  ["a second fault on the same input", signal("SIGABRT"), { crashes: 1 }, 3, "give-up"],
  ["a fault after kills", signal("SIGSEGV"), { kills: 3 }, 3, "again"],
  ["a kill after a fault", signal("SIGKILL"), { crashes: 1 }, 3, "again"],
  ["a runner that left by itself", { ...plain("runner_crashed"), details: { exitCode: 1 } }, {}, 3, "again"],
  ["the second hang", plain("runner_hung"), { crashes: 1 }, 3, "give-up"],
  ["a run over its time", plain("run_timeout"), {}, 3, "give-up"],
  ["a runner that said why it cannot", plain("insufficient_memory"), {}, 3, "give-up"],
  ["a second exit of its own", { ...plain("runner_crashed"), details: { exitCode: 1 } }, { crashes: 1 }, 3, "give-up"],
  ["the fifteenth kill where twenty are survived", signal("SIGKILL"), { kills: 14 }, 20, "again"],
  ["a kill of a job that wants no retry", signal("SIGKILL"), {}, 0, "give-up"],
  ["a fault of a job that wants no retry", signal("SIGSEGV"), {}, 0, "give-up"],
];
test.each(cases)("after %s", (_, failure, before, retries, verdict) => {
  expect(afterSetback(failure, { setbacks: { ...none, ...before }, retries }).type).toBe(verdict);
});

const wishes: [string, Failure, Partial<Setbacks>, Wishes["retries"], "again" | "give-up"][] = [
  ["an error of the model, two retries wished", plain("runner_failed"), { errors: 1 }, { server_error: 2 }, "again"],
  ["as many errors as wished", plain("runner_failed"), { errors: 2 }, { server_error: 2 }, "give-up"],
  ["an error where retries were wished for timeouts", plain("runner_failed"), {}, { timeout: 2 }, "give-up"],
  ["a run over its time, one retry wished", plain("run_timeout"), {}, { timeout: 1 }, "again"],
  ["a kill where none were wished", signal("SIGKILL"), {}, { connection_error: 0 }, "give-up"],
  ["a second fault, whatever is wished", signal("SIGSEGV"), { crashes: 1 }, { connection_error: 9 }, "give-up"],
  ["the tenth error, fifty retries wished", plain("runner_failed"), { errors: 9 }, { server_error: 50 }, "again"],
  [
    "the eleventh, which is more than anybody gets",
    plain("runner_failed"),
    { errors: 10 },
    { server_error: 50 },
    "give-up",
  ],
  ["a wrong input", plain("invalid_input"), {}, { server_error: 9 }, "give-up"],
];
test.each(wishes)("after %s", (_, failure, before, wished, verdict) => {
  const granted = { setbacks: { ...none, ...before }, retries: 3, ...(wished && { wished }) };
  expect(afterSetback(failure, granted).type).toBe(verdict);
});

test("what is counted is what happened, and the last failure says how often", () => {
  const verdict = afterSetback(signal("SIGKILL"), {
    setbacks: { ...none, kills: 3, crashes: 1, interruptions: 2 },
    retries: 3,
  });
  expect(verdict).toEqual({
    type: "give-up",
    setbacks: { ...none, kills: 4, crashes: 1, interruptions: 2 },
    failure: { ...signal("SIGKILL"), message: "gone. (4 attempts ended this way)" },
  });
});

test.each([
  [0, "gone."],
  [1, "gone. (2 attempts ended this way)"],
])("an error after %d others is told: %s", (errors, message) => {
  const verdict = afterSetback(plain("runner_failed"), { setbacks: { ...none, errors }, retries: 3 });
  expect(verdict).toMatchObject({ type: "give-up", failure: { code: "runner_failed", message } });
});

test("ten deaths of the server are survived, the eleventh ends the job", () => {
  let setbacks = none;
  for (let death = 1; death <= 10; death++) {
    const verdict = afterServerDeath({ setbacks, retries: 3 });
    expect(verdict.type).toBe("again");
    setbacks = verdict.setbacks;
  }
  expect(afterServerDeath({ setbacks, retries: 3 })).toMatchObject({
    type: "give-up",
    failure: { code: "unavailable" },
  });
});

test("a job that wants no retry ends with the server, with the reason", () => {
  const verdict = afterServerDeath({ setbacks: none, retries: 0 });
  expect(verdict).toMatchObject({
    type: "give-up",
    failure: { message: expect.stringContaining("not to be tried again") },
  });
});
