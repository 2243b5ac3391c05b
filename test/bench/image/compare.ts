// The same graph run by turns: the session alone, in our loop, in Python's; so that what else the machine does hits all alike.
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { median } from "../../../src/cli/bench/statistics.ts";
import { denoise } from "../../../src/engine/diffusion/denoise.ts";
import { createNoisePredictor } from "../../../src/engine/diffusion/noise-predictor.ts";
import { openGraph } from "../../../src/engine/runner/session.ts";
import { createSampler } from "../../../src/engine/samplers/registry.ts";
import { createRandom } from "../../../src/engine/tensor/random.ts";
import { type Given, givenFor, hasDiffusers, madeModel, SCALE, SCHEDULER, type ShapeName } from "./models.ts";
import { startPython } from "./python-loop.ts";

export type Wanted = {
  shape: ShapeName;
  /** Of the latents; a picture has eight times as many pixels along it. */
  side: number;
  threads: number;
  /** Of a turn. */
  steps: number;
  rounds: number;
  python: string;
  say(text: string): void;
};

/** Seconds of each step of a turn, of these in `session.run`, and the processor's for all of them. */
export type Turn = { seconds: number[]; inside: number[]; cpuSeconds: number; latents: number[] };

export type Figures = {
  version: string;
  /** Medians over all steps. */
  stepSeconds: number;
  /** Median over the turns of what a step took of the processor, all threads together. */
  cpuSeconds: number;
  /** Of a step outside of `session.run`, as a share of what is inside. */
  loopShare: number;
};

export type Comparison = {
  shape: ShapeName;
  side: number;
  threads: number;
  engines: Record<"session.run" | "forecourt" | "python", Figures>;
  /** Medians over the rounds of the ratio of our steps to the others' in the same round, by the clock and by the processor's time. */
  ratios: Record<"toSession" | "toPython", { clock: number; cpu: number }>;
  /** Largest difference of the latents that both loops came to, relative to the largest of them. */
  distance: number;
};

/** What is missing, in words, where the other side cannot be had. */
export async function compare(wanted: Wanted): Promise<Comparison | { missing: string }> {
  const { shape, side, threads, python, steps, rounds, say } = wanted;
  if (!hasDiffusers(python)) return { missing: `${python} has not the packages of test/reference/requirements.txt` };
  say(`the model of the shape ${shape}`);
  const folder = madeModel(shape, python);
  const given = givenFor(folder, shape, side);
  say("Python loads");
  await using theirs = await startPython(python, { folder, threads, side });
  say("onnxruntime-node loads");
  const ours = await openOurs(folder, given, threads);
  const turns = { "session.run": ours.bare, forecourt: ours.draw, python: theirs.draw };
  type Engine = keyof typeof turns;
  const names = Object.keys(turns) as Engine[];
  // What is laid out at the first run is not the loop's.
  for (const name of names) await turns[name](1);
  const done: Record<Engine, Turn[]> = { "session.run": [], forecourt: [], python: [] };
  for (let round = 0; round < rounds; round++)
    for (const at of names.keys()) {
      const name = names[(at + round) % names.length] ?? "forecourt";
      const turn = await turns[name](steps);
      done[name].push(turn);
      say(`${name}: ${turn.seconds.map((each) => each.toFixed(3)).join(", ")} s`);
    }
  await ours.release();
  const figures = (name: Engine, version: string): Figures => {
    const all = done[name].flatMap(({ seconds, inside }) =>
      seconds.map((whole, i) => ({ whole, run: inside[i] ?? 0 })),
    );
    return {
      version,
      stepSeconds: rounded(median(all.map(({ whole }) => whole))),
      cpuSeconds: rounded(median(done[name].map(({ cpuSeconds, seconds }) => cpuSeconds / seconds.length))),
      loopShare: rounded(median(all.map(({ whole, run }) => (whole - run) / run))),
    };
  };
  const ratioOf = (other: Engine, of: (turn: Turn) => number) =>
    rounded(median(done.forecourt.flatMap((turn, i) => done[other].slice(i, i + 1).map((its) => of(turn) / of(its)))));
  const ratios = (other: Engine) => ({
    clock: ratioOf(other, ({ seconds }) => sum(seconds)),
    cpu: ratioOf(other, ({ cpuSeconds }) => cpuSeconds),
  });
  return {
    ...{ shape, side, threads },
    engines: {
      "session.run": figures("session.run", ours.version),
      forecourt: figures("forecourt", ours.version),
      python: figures("python", theirs.version),
    },
    ratios: { toSession: ratios("session.run"), toPython: ratios("python") },
    distance: distance(done.forecourt[0]?.latents ?? [], done.python[0]?.latents ?? []),
  };
}

async function openOurs(folder: string, given: Given, threads: number) {
  const { graph, session } = await openKept(`${folder}/model.onnx`, threads);
  const inside: number[] = [];
  const run = session.run.bind(session);
  session.run = async (feeds: InferenceSession.FeedsType) => {
    const begin = performance.now();
    const results = await run(feeds);
    inside.push((performance.now() - begin) / 1000);
    return results;
  };
  const { noise, encoder_hidden_states, ...further } = given;
  if (!noise || !encoder_hidden_states) throw new Error("givenFor gives both");
  const [count = 1, channels = 4, height = 0, width = 0] = noise.shape;
  const shape = [count, channels, height, width] as const;
  const rowsOf = (row: number) => {
    const own = Object.entries({ encoder_hidden_states, ...further }).map(
      ([
        name,
        {
          data,
          shape: [rows = 1, ...rest],
        },
      ]) => {
        const size = data.length / rows;
        return [name, { data: data.subarray(row * size, (row + 1) * size), shape: rest }] as const;
      },
    );
    return { rows: Object.fromEntries(own), readings: 1, dropped: 0 };
  };
  const predictor = createNoisePredictor({ graph });

  async function draw(steps: number): Promise<Turn> {
    const sampler = createSampler(SCHEDULER, steps);
    inside.length = 0;
    const cpuBegin = process.cpuUsage();
    const begin = performance.now();
    const ends: number[] = [];
    const drawing = denoise({
      ...{ predictor, sampler, shape, shared: {}, random: createRandom(2) },
      start: { sample: noise?.data.map((value) => value * sampler.initNoiseSigma) ?? new Float32Array(), from: 0 },
      prompts: [rowsOf(1)],
      guidance: { negatives: [rowsOf(0)], scale: SCALE },
      signal: new AbortController().signal,
    });
    let latents: Float32Array = new Float32Array();
    for await (const step of drawing) {
      ends.push((performance.now() - begin) / 1000);
      latents = step.latents;
    }
    const seconds = ends.map((end, i) => end - (ends[i - 1] ?? 0));
    return {
      seconds,
      inside: [...inside],
      cpuSeconds: cpuSince(cpuBegin),
      latents: Array.from(latents.subarray(0, 4096)),
    };
  }

  const tensor = (data: Float32Array, dims: readonly number[]) => new OrtTensor("float32", data, dims);
  const twice = Float32Array.from([...noise.data, ...noise.data]);
  const feeds = {
    sample: tensor(twice, [2, channels, height, width]),
    timestep: tensor(Float32Array.of(500), [1]),
    ...Object.fromEntries(
      Object.entries({ encoder_hidden_states, ...further }).map(([name, { data, shape: dims }]) => [
        name,
        tensor(data, dims),
      ]),
    ),
  };

  async function bare(steps: number): Promise<Turn> {
    inside.length = 0;
    const cpuBegin = process.cpuUsage();
    for (let step = 0; step < steps; step++) await session.run(feeds);
    return { seconds: [...inside], inside: [...inside], cpuSeconds: cpuSince(cpuBegin), latents: [] };
  }

  const { version } = await import("onnxruntime-node/package.json");
  return { version: `onnxruntime-node ${version}`, draw, bare, release: () => graph.release() };
}

/** The session that `openGraph` makes, so that it is run alone without a second one in memory. */
async function openKept(path: string, threads: number) {
  const { create } = InferenceSession;
  let session: InferenceSession | undefined;
  InferenceSession.create = async (...given: unknown[]) => {
    session = await Reflect.apply(create, InferenceSession, given);
    return session as InferenceSession;
  };
  try {
    const graph = await openGraph(path, { device: { kind: "cpu", index: 0 }, threads });
    if (!session) throw new Error("openGraph makes its sessions in another way");
    return { graph, session };
  } finally {
    InferenceSession.create = create;
  }
}

function distance(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length === 0 || ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  const largest = Math.max(...theirs.map(Math.abs));
  return Math.max(...ours.map((value, i) => Math.abs(value - (theirs[i] ?? 0)))) / largest;
}

function cpuSince(begin: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1e6;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** To five digits after the point: shares of a thousandth are to be seen. */
const rounded = (value: number) => Math.round(value * 1e5) / 1e5;
