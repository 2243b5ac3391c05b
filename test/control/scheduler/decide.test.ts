// The policy, case by case.
import { expect, test } from "bun:test";
import { decide } from "../../../src/control/scheduler/decide.ts";
import type { Failure } from "../../../src/core/errors.ts";
import { asId, type DeviceId } from "../../../src/core/ids.ts";
import { bytes, instant, MIB } from "../../../src/core/units.ts";
import { factsOf, inWords, NOW, type World } from "./world.ts";

const videos = { name: "videos", devices: [asId<DeviceId>("cuda:0")], concurrency: 0 };

const killed: Failure = { code: "runner_crashed", message: "killed", details: { signal: "SIGKILL" } };
const explained = { code: "weights_missing", message: "there is no folder" } as const;

const cases: [string, World, string[]][] = [
  ["nothing to do", {}, []],
  ["a job's model is loaded", { jobs: { "A#1": {} } }, ["load A cpu"]],
  ["a starting runner is waited for", { jobs: { "A#1": {} }, runners: { A: { state: "starting" } } }, []],
  ["a ready runner takes the job", { jobs: { "A#1": {} }, runners: { A: {} } }, ["run A#1"]],
  ["a busy runner is waited for", { jobs: { "A#1": {} }, runners: { A: { state: "busy" } } }, []],
  ["a stopping runner is waited for", { jobs: { "A#1": {} }, runners: { A: { state: "stopping" } } }, []],
  [
    "the oldest job comes first",
    { jobs: { "A#young": { age: 1 }, "A#old": { age: 9 } }, runners: { A: {} } },
    ["run A#old"],
  ],
  [
    "wherever it stands in the line",
    { jobs: { "A#old": { age: 9 }, "A#young": { age: 1 } }, runners: { A: {} } },
    ["run A#old"],
  ],
  [
    "of two of the same moment the one with the lower id comes first",
    { jobs: { "A#2": {}, "A#1": {} }, runners: { A: {} } },
    ["run A#1"],
  ],
  [
    "jobs of a model are one line, whatever stands between them",
    {
      jobs: { "A#1": { age: 3 }, "B#1": { age: 2 }, "A#2": { age: 1 } },
      runners: { A: {} },
      models: { A: { slots: 2 } },
    },
    ["run A#1", "run A#2", "load B cpu"],
  ],
  [
    "a low job runs after all normal ones",
    { jobs: { "A#low": { age: 99, low: true }, "A#normal": {} }, runners: { A: {} } },
    ["run A#normal"],
  ],
  ["a low job runs when no other waits", { jobs: { "A#low": { low: true } }, runners: { A: {} } }, ["run A#low"]],
  [
    "two models run side by side",
    { jobs: { "A#1": {}, "B#1": {} }, runners: { A: {}, B: {} } },
    ["run A#1", "run B#1"],
  ],
  ["two models are loaded when both fit", { jobs: { "A#1": { age: 1 }, "B#1": {} } }, ["load A cpu", "load B cpu"]],
  [
    "the longest-waiting model is loaded when one fits",
    { jobs: { "A#1": {}, "B#1": { age: 1 } }, budget: 150 },
    ["load B cpu"],
  ],
  ["whichever came first in the list", { jobs: { "A#1": { age: 1 }, "B#1": {} }, budget: 150 }, ["load A cpu"]],
  [
    "a model that only low jobs wait for is loaded after all others",
    { jobs: { "A#1": { age: 9, low: true }, "B#1": {} }, budget: 150 },
    ["load B cpu"],
  ],
  [
    "whichever came first here, too",
    { jobs: { "A#1": {}, "B#1": { age: 9, low: true } }, budget: 150 },
    ["load A cpu"],
  ],
  [
    "a model fits to the last byte",
    { jobs: { "A#1": {} }, runners: { B: { state: "busy" } }, budget: 200 },
    ["load A cpu"],
  ],
  [
    "memory of a stopping runner is not free yet",
    { jobs: { "A#1": {} }, runners: { B: { state: "stopping" } }, budget: 150 },
    [],
  ],
  ["an idle runner makes room", { jobs: { "A#1": {} }, runners: { B: {} }, budget: 150 }, ["evict B"]],
  [
    "the least recently used makes room, and no more than needed",
    { jobs: { "A#1": {} }, runners: { B: { idle: 5 }, C: { idle: 9 } }, budget: 250 },
    ["evict C"],
  ],
  ["a busy runner never makes room", { jobs: { "A#1": {} }, runners: { B: { state: "busy" } }, budget: 150 }, []],
  [
    "a starting runner never makes room",
    { jobs: { "A#1": {} }, runners: { B: { state: "starting" } }, budget: 150 },
    [],
  ],
  [
    "nobody goes when it would not be enough",
    { jobs: { "A#1": {} }, sizes: { A: 200 }, runners: { B: {}, C: { state: "busy" } }, budget: 250 },
    [],
  ],
  [
    "what is stopping already counts as room to come",
    { jobs: { "A#1": {} }, sizes: { A: 150 }, runners: { B: { state: "stopping" }, C: {} }, budget: 250 },
    [],
  ],
  [
    "a runner with work of its own is not sacrificed for a young job",
    { jobs: { "A#1": { age: 9_999 }, "B#1": {} }, runners: { B: {} }, budget: 150 },
    ["run B#1"],
  ],
  [
    "after ten seconds an older job takes the memory of a model with younger work",
    { jobs: { "A#1": { age: 10_000 }, "B#1": { age: 1 } }, runners: { B: {} }, budget: 150 },
    ["evict B"],
  ],
  [
    "a busy runner gets to its end before it yields",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: { state: "busy" } }, budget: 150 },
    [],
  ],
  [
    "a model with an older job of its own does not yield",
    { jobs: { "A#1": { age: 10_000 }, "B#1": { age: 20_000 } }, runners: { B: {} }, budget: 150 },
    ["run B#1"],
  ],
  [
    "a model that was just loaded does not yield yet",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: { readyFor: 9_999 } }, budget: 150 },
    ["run B#1"],
  ],
  [
    "a model that took long to load stays twice as long",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: { readyFor: 30_000, loadMs: 20_000 } }, budget: 150 },
    ["run B#1"],
  ],
  [
    "and no longer than that",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: { readyFor: 40_000, loadMs: 20_000 } }, budget: 150 },
    ["evict B"],
  ],
  [
    "nobody with work yields while one without is enough",
    { jobs: { "A#1": { age: 60_000 }, "C#1": {} }, runners: { B: { idle: 1 }, C: { idle: 5 } } },
    ["run C#1", "evict B"],
  ],
  [
    "one with work yields beside one without, though that was just loaded, when only both are enough",
    { jobs: { "A#1": { age: 60_000 }, "C#1": {} }, sizes: { A: 200 }, runners: { B: { readyFor: 0 }, C: {} } },
    ["evict B", "evict C"],
  ],
  [
    "what is free is kept until a busy runner has yielded",
    { jobs: { "A#1": { age: 60_000 }, "C#1": {} }, sizes: { A: 200 }, runners: { B: { state: "busy" } } },
    [],
  ],
  [
    "also where an idle one yields with it",
    {
      jobs: { "A#1": { age: 60_000 }, "C#1": {}, "D#1": {} },
      sizes: { A: 250, D: 50 },
      runners: { B: { state: "busy" }, C: {} },
    },
    [],
  ],
  [
    "only for one model that has waited too long room is made at a time",
    {
      jobs: { "A#1": { age: 60_000 }, "B#1": { age: 50_000 }, "C#1": {}, "D#1": {} },
      runners: { C: { idle: 2 }, D: { idle: 1 } },
      budget: 200,
    },
    ["run D#1", "evict C"],
  ],
  [
    "but on each device for one",
    {
      jobs: { "A#1": { age: 60_000 }, "B#1": { age: 50_000 }, "C#1": {}, "D#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { C: { on: "cuda:0" }, D: { on: "cuda:1" } },
    },
    ["evict C", "evict D"],
  ],
  [
    "nobody yields when another device is empty",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, gpu: 100, gpus: [100], runners: { B: { on: "cuda:0" } } },
    ["run B#1", "load A cuda:1"],
  ],
  [
    "nobody yields when there is room anyway",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: {} }, budget: 250 },
    ["run B#1", "load A cpu"],
  ],
  ["a model in back-off is left alone", { jobs: { "A#1": {} }, backOffs: { A: { for: 100 } } }, []],
  ["a back-off that is over counts no more", { jobs: { "A#1": {} }, backOffs: { A: { for: 0 } } }, ["load A cpu"]],
  [
    "a model in back-off does not drive others out",
    { jobs: { "A#1": { age: 60_000 }, "B#1": {} }, runners: { B: {} }, budget: 150, backOffs: { A: { for: 100 } } },
    ["run B#1"],
  ],
  [
    "a model that says twice why it cannot start has its jobs refused with that reason",
    { jobs: { "A#1": {}, "A#2": {} }, backOffs: { A: { for: 100, failures: 2, reason: explained } } },
    ["refuse A#1 weights_missing", "refuse A#2 weights_missing"],
  ],
  [
    "a model that said so once is tried again",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 100, failures: 1, reason: explained } } },
    [],
  ],
  [
    "a model that just died is tried longer",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 0, failures: 9 } } },
    ["load A cpu"],
  ],
  [
    "but not for ever",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 1, failures: 10 } } },
    ["refuse A#1 runner_crashed"],
  ],
  [
    "and once more when its rest is over, whose cause may be mended",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 0, failures: 10, reason: explained } } },
    ["load A cpu"],
  ],
  [
    "unless the runner lived to say that it cannot",
    {
      jobs: { "A#1": {} },
      backOffs: { A: { for: 1, failures: 2, reason: { code: "runner_crashed", message: "a bug" } } },
    },
    ["refuse A#1 runner_crashed"],
  ],
  [
    "one that was killed from outside is tried longer still",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 1, failures: 39, reason: killed } } },
    [],
  ],
  [
    "and not for ever either",
    { jobs: { "A#1": {} }, backOffs: { A: { for: 1, failures: 40, reason: killed } } },
    ["refuse A#1 runner_crashed"],
  ],
  [
    "a job past its deadline is refused",
    { jobs: { "A#1": { startIn: 0 } }, runners: { A: {} } },
    ["refuse A#1 start_timeout"],
  ],
  ["a job before its deadline is not", { jobs: { "A#1": { startIn: 1 } }, runners: { A: {} } }, ["run A#1"]],
  [
    "a refused job leaves its turn to the next",
    { jobs: { "A#1": { startIn: 0, age: 9 }, "A#2": {} }, runners: { A: {} } },
    ["refuse A#1 start_timeout", "run A#2"],
  ],
  [
    "a model whose last job is refused makes room",
    { jobs: { "A#1": {}, "B#1": { startIn: 0 } }, runners: { B: {} }, budget: 150 },
    ["refuse B#1 start_timeout", "evict B"],
  ],
  [
    "a model larger than the budget is refused",
    { jobs: { "A#1": {} }, sizes: { A: 251 } },
    ["refuse A#1 insufficient_memory"],
  ],
  [
    "unless it is loaded already, larger than it was thought",
    { jobs: { "A#1": {} }, sizes: { A: 251 }, runners: { A: {} } },
    ["run A#1"],
  ],
  ["the first device is preferred", { jobs: { "A#1": {} }, gpu: 100 }, ["load A cuda:0"]],
  ["a model too large for it goes to the next", { jobs: { "A#1": {} }, gpu: 99 }, ["load A cpu"]],
  [
    "the CPU does not stand in for a GPU that is full",
    { jobs: { "A#1": {} }, gpu: 100, runners: { B: { on: "cuda:0" } } },
    ["evict B"],
  ],
  [
    "memory of one device is none of another",
    { jobs: { "A#1": {} }, gpu: 100, gpus: [100], runners: { B: { on: "cuda:0" } } },
    ["load A cuda:1"],
  ],
  [
    "of several devices the one with most room is taken",
    { jobs: { "A#1": {} }, gpu: 200, gpus: [300] },
    ["load A cuda:1"],
  ],
  ["whichever comes first in the list", { jobs: { "A#1": {} }, gpu: 300, gpus: [200] }, ["load A cuda:0"]],
  [
    "a model whose other runner is stopping has only one to lose",
    {
      jobs: { "C#1": {} },
      sizes: { C: 150 },
      gpu: 150,
      gpus: [100, 150],
      runners: { "A@cuda:0": {}, "A@cuda:1": { state: "stopping" }, B: { on: "cuda:2" } },
      models: { A: { worth: 10 }, B: { worth: 9 } },
    },
    ["evict B"],
  ],
  [
    "and one whose other runner stays loses less than all",
    {
      jobs: { "C#1": {} },
      sizes: { C: 150 },
      gpu: 150,
      gpus: [100, 150],
      runners: { "A@cuda:0": {}, "A@cuda:1": {}, B: { on: "cuda:2" } },
      models: { A: { worth: 10 }, B: { worth: 9 } },
    },
    ["evict A@cuda:0"],
  ],
  [
    "room is made where least is lost",
    {
      jobs: { "A#1": {} },
      gpu: 100,
      gpus: [100, 100],
      runners: { B: { on: "cuda:0", idle: 99 }, C: { on: "cuda:1" }, D: { on: "cuda:2", idle: 50 } },
      models: { B: { worth: 5 }, C: { worth: 1 }, D: { worth: 3 } },
    },
    ["evict C"],
  ],
  [
    "two models make room on two devices at once",
    {
      jobs: { "A#1": { age: 1 }, "B#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { C: { on: "cuda:0" }, D: { on: "cuda:1" } },
    },
    ["evict C", "evict D"],
  ],
  [
    "room that is being made for one model is not taken by a younger one",
    {
      jobs: { "A#1": { age: 1 }, "B#1": {} },
      sizes: { A: 250, B: 50 },
      runners: { C: { state: "stopping" } },
      budget: 250,
    },
    [],
  ],
  [
    "a pinned model never makes room",
    { jobs: { "A#1": {} }, runners: { B: {} }, budget: 150, models: { B: { isPinned: true } } },
    ["refuse A#1 insufficient_memory"],
  ],
  [
    "nor does it after ten seconds, and others go in its place",
    {
      jobs: { "A#1": { age: 60_000 }, "B#1": {}, "C#1": {} },
      runners: { B: {}, C: {} },
      budget: 250,
      models: { B: { isPinned: true } },
    },
    ["run B#1", "evict C"],
  ],
  [
    "a pinned model is not unloaded when idle",
    { runners: { A: { idle: 900 } }, idleUnload: 500, models: { A: { isPinned: true } } },
    [],
  ],
  ["models are loaded ahead while there is room", { ahead: ["A", "B", "C"] }, ["load A cpu", "load B cpu"]],
  ["those that are only warm push nobody out", { ahead: ["A"], runners: { B: {} }, budget: 150 }, []],
  ["pinned ones do", { ahead: ["A"], runners: { B: {} }, budget: 150, models: { A: { isPinned: true } } }, ["evict B"]],
  [
    "what is loaded is not loaded ahead beside it",
    { ahead: ["A"], gpu: 100, gpus: [100], runners: { "A@cuda:0": {} } },
    [],
  ],
  [
    "for a job of what is loaded ahead room is made once",
    {
      jobs: { "A#1": {} },
      ahead: ["A"],
      runners: { B: { idle: 9 }, C: {} },
      models: { A: { isPinned: true } },
    },
    ["evict B"],
  ],
  ["jobs come before what is loaded ahead", { jobs: { "A#1": {} }, ahead: ["B"], budget: 150 }, ["load A cpu"]],
  [
    "a measured footprint counts, not the estimate",
    { jobs: { "A#1": {} }, models: { A: { measured: new Map([[asId<DeviceId>("cpu"), bytes(251 * MIB)]]) } } },
    ["refuse A#1 insufficient_memory"],
  ],
  [
    "nothing is placed on a lost device",
    { jobs: { "A#1": {} }, gpu: 100, gpus: [100], lost: ["cuda:0"] },
    ["load A cuda:1"],
  ],
  [
    "a pool whose only device is lost says so",
    { jobs: { "A#1": {} }, gpu: 100, lost: ["cuda:0"], pools: [videos], models: { A: { pool: "videos" } } },
    ["refuse A#1 device_lost"],
  ],
  [
    "a model of a pool uses its devices, others use the rest",
    { jobs: { "A#1": {}, "B#1": {} }, gpu: 100, gpus: [100], pools: [videos], models: { A: { pool: "videos" } } },
    ["load A cuda:0", "load B cuda:1"],
  ],
  [
    "a pool runs as many jobs at a time as it may",
    {
      jobs: { "A#1": { age: 1 }, "B#1": {}, "C#1": {} },
      runners: { A: { on: "cuda:0" }, B: { on: "cuda:0" }, C: {} },
      gpu: 300,
      pools: [{ ...videos, concurrency: 1 }],
      models: { A: { pool: "videos" }, B: { pool: "videos" } },
    },
    ["run A#1", "run C#1"],
  ],
  [
    "a hot model gets a second runner on another device",
    {
      jobs: { "A#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { "A@cuda:0": { state: "busy" } },
      models: { A: { backlog: 9, runMs: 1_000 } },
    },
    ["load A cuda:1"],
  ],
  [
    "also where its first left more room",
    {
      jobs: { "A#1": {} },
      gpu: 300,
      gpus: [100],
      runners: { "A@cuda:0": { state: "busy" } },
      models: { A: { backlog: 9, runMs: 1_000 } },
    },
    ["load A cuda:1"],
  ],
  [
    "also when its first has just taken a job",
    {
      jobs: { "A#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { "A@cuda:0": {} },
      models: { A: { backlog: 9, runMs: 1_000 } },
    },
    ["run A#1 @cuda:0", "load A cuda:1"],
  ],
  [
    "not while its first has places left",
    {
      jobs: { "A#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { "A@cuda:0": { state: "busy", running: 1 } },
      models: { A: { backlog: 9, runMs: 1_000, slots: 4 } },
    },
    ["run A#1 @cuda:0"],
  ],
  [
    "not while its line is shorter than loading takes",
    {
      jobs: { "A#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { "A@cuda:0": { state: "busy" } },
      models: { A: { backlog: 2, runMs: 1_000 } },
    },
    [],
  ],
  [
    "nor at the cost of a model that is worth more",
    {
      jobs: { "A#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { "A@cuda:0": { state: "busy" }, "B@cuda:1": {} },
      models: { A: { backlog: 9, runMs: 1_000, worth: 39_000 }, B: { worth: 20_000 } },
    },
    [],
  ],
  [
    "but at the cost of one that is worth less",
    {
      jobs: { "A#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { "A@cuda:0": { state: "busy" }, "B@cuda:1": {} },
      models: { A: { backlog: 9, runMs: 1_000, worth: 41_000 }, B: { worth: 20_000 } },
    },
    ["evict B@cuda:1"],
  ],
  [
    "or than the requests that it takes off the line, which a favourite has before it is known to be one",
    {
      jobs: { "A#1": {} },
      gpu: 100,
      gpus: [100],
      runners: { "A@cuda:0": { state: "busy" }, "B@cuda:1": {} },
      models: { A: { backlog: 9, runMs: 1_000, worth: 1 }, B: { worth: 9_000 } },
    },
    ["evict B@cuda:1"],
  ],
  [
    "both runners of a model take work",
    { jobs: { "A#1": { age: 1 }, "A#2": {} }, gpu: 100, gpus: [100], runners: { "A@cuda:0": {}, "A@cuda:1": {} } },
    ["run A#1 @cuda:0", "run A#2 @cuda:1"],
  ],
  [
    "jobs of a fair turn go before older ones of a later turn",
    { jobs: { "A#old": { age: 9, turn: 1 }, "A#new": {} }, runners: { A: {} } },
    ["run A#new"],
  ],
  [
    "jobs that fit together run together, up to the limit",
    {
      jobs: {
        "A#1": { age: 4, batch: "x" },
        "A#2": { age: 3, batch: "y" },
        "A#3": { age: 2, batch: "x" },
        "A#4": { age: 1, batch: "x" },
      },
      runners: { A: {} },
      models: { A: { maxBatch: 2 } },
    },
    ["run A#1 A#3"],
  ],
  [
    "a low job does not run together with a normal one",
    {
      jobs: { "A#1": { age: 1, batch: "x" }, "A#2": { batch: "x", low: true } },
      runners: { A: {} },
      models: { A: { maxBatch: 2 } },
    },
    ["run A#1"],
  ],
  [
    "a batch is not larger than memory allows",
    {
      jobs: { "A#1": { age: 2, batch: "x" }, "A#2": { age: 1, batch: "x" }, "A#3": { batch: "x" } },
      runners: { A: {} },
      models: { A: { maxBatch: 8, perBatchItem: bytes(100 * MIB) } },
    },
    ["run A#1 A#2"],
  ],
  [
    "an open batch waits for the window",
    { jobs: { "A#1": { age: 4, batch: "x" } }, runners: { A: {} }, models: { A: { maxBatch: 2 } }, batchWindow: 5 },
    [],
  ],
  [
    "and no longer",
    { jobs: { "A#1": { age: 5, batch: "x" } }, runners: { A: {} }, models: { A: { maxBatch: 2 } }, batchWindow: 5 },
    ["run A#1"],
  ],
  [
    "a batch that is full does not wait for it",
    {
      jobs: { "A#1": { age: 1, batch: "x" }, "A#2": { batch: "x" } },
      runners: { A: {} },
      models: { A: { maxBatch: 2 } },
      batchWindow: 5,
    },
    ["run A#1 A#2"],
  ],
  [
    "nor does a job that runs with no other",
    { jobs: { "A#1": {} }, runners: { A: {} }, models: { A: { maxBatch: 2 } }, batchWindow: 5 },
    ["run A#1"],
  ],
  [
    "a batch whose jobs take no memory of their own is not cut short on a full device",
    {
      jobs: { "A#1": { age: 2, batch: "x" }, "A#2": { age: 1, batch: "x" }, "A#3": { batch: "x" } },
      runners: { A: {} },
      budget: 100,
      models: { A: { maxBatch: 2 } },
    },
    ["run A#1 A#2"],
  ],
  [
    "nor is the first job of a batch held back where memory is overdrawn",
    {
      jobs: { "A#1": { age: 1, batch: "x" }, "A#2": { batch: "x" } },
      runners: { A: { size: 400 } },
      models: { A: { maxBatch: 2, perBatchItem: bytes(100 * MIB) } },
    },
    ["run A#1"],
  ],
  [
    "a runner on a device that is no longer listed takes its job all the same",
    { jobs: { "A#1": { batch: "x" } }, runners: { "A@cuda:7": {} }, models: { A: { maxBatch: 2 } } },
    ["run A#1 @cuda:7"],
  ],
  [
    "of jobs for one place the oldest joins",
    {
      jobs: { "A#young": { age: 1 }, "A#old": { age: 9 } },
      runners: { A: { state: "busy", running: 1 } },
      models: { A: { slots: 2 } },
    },
    ["run A#old"],
  ],
  [
    "jobs that may join go to a busy runner, up to its places",
    {
      jobs: { "A#1": { age: 3 }, "A#2": { age: 2 }, "A#3": { age: 1 } },
      runners: { A: { state: "busy", running: 2 } },
      models: { A: { slots: 4 } },
    },
    ["run A#1", "run A#2"],
  ],
  [
    "an idle runner takes as many as it has places, each at its own time",
    { jobs: { "A#1": { age: 1 }, "A#2": {} }, runners: { A: {} }, models: { A: { slots: 2 } } },
    ["run A#1", "run A#2"],
  ],
  [
    "of two runners with places the one with less work comes first",
    {
      jobs: { "A#1": { age: 1 }, "A#2": {} },
      runners: { "A@cpu": { state: "busy", running: 3 }, "A@cuda:0": { state: "busy", running: 1 } },
      gpu: 200,
      models: { A: { slots: 4 } },
    },
    ["run A#1 @cuda:0", "run A#2 @cuda:0"],
  ],
  [
    "each job that joins needs its memory",
    {
      jobs: { "A#1": { age: 1 }, "A#2": {} },
      runners: { A: { state: "busy", running: 1 } },
      models: { A: { slots: 8, perBatchItem: bytes(100 * MIB) } },
    },
    ["run A#1"],
  ],
  [
    "a pool's limit counts every job of a runner",
    {
      jobs: { "A#1": { age: 1 }, "A#2": {} },
      runners: { "A@cuda:0": { state: "busy", running: 2 } },
      gpu: 200,
      models: { A: { slots: 8, pool: "videos" } },
      pools: [{ ...videos, concurrency: 3 }],
    },
    ["run A#1 @cuda:0"],
  ],
  [
    "a model that was in line for too long is told",
    {
      jobs: { "A#1": {} },
      runners: { B: { state: "busy" } },
      budget: 150,
      models: { A: { inLineSince: instant(NOW - 900_000) } },
    },
    ["refuse A#1 insufficient_memory"],
  ],
  ["idle runners stay without a limit", { runners: { A: { idle: 1e9 } } }, []],
  [
    "an idle runner goes after the limit",
    { runners: { A: { idle: 500 }, B: { idle: 499 } }, idleUnload: 500 },
    ["evict A"],
  ],
  [
    "once, when it makes room as well",
    { jobs: { "A#1": {} }, runners: { B: { idle: 500 } }, budget: 150, idleUnload: 500 },
    ["evict B"],
  ],
  [
    "a runner with waiting work is not idle",
    { jobs: { "A#1": {} }, runners: { A: { idle: 9_000 } }, idleUnload: 500 },
    ["run A#1"],
  ],
];
test.each(cases)("%s", (_, world, actions) => {
  expect(inWords(decide(factsOf(world)))).toEqual(actions);
});

const measuring = (sizes: Record<string, number>) => ({
  measured: new Map(Object.entries(sizes).map(([device, size]) => [asId<DeviceId>(device), bytes(size)])),
});
const ofVideos = (devices: string[]) => ({
  pools: [{ ...videos, devices: devices.map((id) => asId<DeviceId>(id)) }],
  models: { A: { pool: "videos" } },
});

test.each<[string, World, string]>([
  ["how much is needed and how much there is", { sizes: { A: 300 } }, "A needs 300 MiB and models may take 250 MiB"],
  [
    "so to the next MiB",
    { models: { A: measuring({ cpu: 250 * MIB + 1 }) } },
    "A needs 251 MiB and models may take 250 MiB",
  ],
  [
    "so of the device where least is missing",
    { models: { A: measuring({ cpu: 260 * MIB, "cuda:0": 400 * MIB }) }, gpu: 300 },
    "A needs 260 MiB and models may take 250 MiB",
  ],
  [
    "that pinned models hold the memory",
    { runners: { B: {} }, budget: 150, models: { B: { isPinned: true } } },
    "A needs 100 MiB, and pinned models hold too much",
  ],
  [
    "how long it was in line",
    { runners: { B: { state: "busy" } }, budget: 150, models: { A: { inLineSince: instant(NOW - 900_000) } } },
    "No memory came free for A within 900 s",
  ],
  [
    "which device was lost",
    { gpu: 100, gpus: [100], lost: ["cuda:0"], ...ofVideos(["cuda:0"]) },
    "A has no device to run on: cuda:0 stopped answering.",
  ],
  [
    "which devices a pool has and the box has not",
    { gpu: 100, ...ofVideos(["cuda:5"]) },
    "A has no device to run on: its pool videos has cuda:5, and models run on cuda:0, cpu here.",
  ],
  [
    "that pools have all devices",
    { pools: [{ ...videos, devices: [asId<DeviceId>("cpu")] }] },
    "A has no device to run on: all are set apart for pools.",
  ],
])("a refusal says %s", (_, world, why) => {
  const actions = decide(factsOf({ jobs: { "A#1": {} }, ...world }));
  expect(actions).toMatchObject([{ type: "refuse", failure: { message: expect.stringContaining(why) } }]);
});

test("the same facts in another order give the same decision", () => {
  const world: World = {
    jobs: { "A#1": { age: 3 }, "B#1": { age: 2 }, "C#1": { age: 1 } },
    runners: { C: {}, D: {} },
    budget: 300,
  };
  const facts = factsOf(world);
  const turned = { ...facts, jobs: facts.jobs.toReversed(), runners: facts.runners.toReversed() };
  expect(inWords(decide(turned)).sort()).toEqual(inWords(decide(facts)).sort());
});

test("deciding leaves the facts as they were", () => {
  const facts = factsOf({ jobs: { "A#1": {}, "B#1": {} }, runners: { B: {}, C: {} }, budget: 250 });
  const before = structuredClone({ jobs: facts.jobs, runners: facts.runners });
  decide(facts);
  expect({ jobs: facts.jobs, runners: facts.runners }).toEqual(before);
});
