// Which disks are waited for on the spot: those whose waits are shorter than a way to another thread and back.
import { expect, test } from "bun:test";
import { createDiskPace } from "../../../src/control/database/disk-pace.ts";

function paced() {
  let now = 0;
  const pace = createDiskPace(() => now);
  return {
    pace,
    wait: (ms: number) => {
      now += ms;
    },
    took: (...waits: number[]) => {
      for (const ms of waits) pace.took(ms);
    },
  };
}
const sixteen = (ms: number) => Array.from({ length: 16 }, () => ms);

test("a disk is quick once one of sixteen waits was, however long the other threads' ways took", () => {
  const { pace, took } = paced();
  expect(pace.isQuick()).toBe(false);
  took(...sixteen(0.9).slice(1));
  expect(pace.isQuick()).toBe(false);
  took(0.05);
  expect(pace.isQuick()).toBe(true);
});

test("a disk of a millisecond is never waited for on the spot", () => {
  const { pace, took } = paced();
  for (let times = 0; times < 10; times++) took(...sixteen(1));
  expect(pace.isQuick()).toBe(false);
});

test("one that becomes slow is left to other threads again, and tried anew after a minute", () => {
  const { pace, took, wait } = paced();
  took(...sixteen(0.02));
  took(...sixteen(0.02).slice(1), 8);
  took(...sixteen(0.02).slice(1), 8);
  expect(pace.isQuick()).toBe(false);
  took(...sixteen(0.02));
  expect(pace.isQuick()).toBe(false);
  wait(60_000);
  took(...sixteen(0.02));
  expect(pace.isQuick()).toBe(true);
});

test("a thread that stood still once does not make a quick disk slow", () => {
  const { pace, took } = paced();
  took(...sixteen(0.02));
  for (let times = 0; times < 10; times++) {
    took(...sixteen(0.02).slice(1), 8);
    expect(pace.isQuick()).toBe(true);
    took(...sixteen(0.02));
  }
});
