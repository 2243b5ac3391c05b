// Every setting: schema, documentation, default and environment name in one entry; resolved once.
// The only file that reads the process's environment.
import { homedir } from "node:os";
import { join } from "node:path";
import { choice, Type, webAddress } from "../core/schema.ts";
import { milliseconds } from "../core/units.ts";
import { alertSettings } from "./settings/alerts.ts";
import { memorySettings } from "./settings/memory.ts";
import { openAiSettings } from "./settings/openai.ts";
import { type Resolved, resolve } from "./settings/resolve.ts";
import { runtimeSettings } from "./settings/runtime.ts";
import { s3Settings } from "./settings/s3.ts";
import {
  addressOrNone,
  DEVICE,
  MOST_DAYS,
  MOST_HOURS,
  type SettingTree,
  setting,
  type ValuesOf,
} from "./settings/setting.ts";
import { huggingFaceEnvironment } from "./weights/environment.ts";

const deviceName = Type.String({
  pattern: `^${DEVICE}$`,
  expected: "cpu or a device such as cuda:0, as `forecourt doctor` lists them",
});

export const settingTree = {
  data: setting({
    doc: "Directory of everything this box keeps: database, weights, files, the operator's models. Empty: /var/lib/forecourt as a service, else ~/.local/share/forecourt.",
    env: "FORECOURT_DATA",
    schema: Type.String({ pattern: "^(?!~(/|$))", expected: "a whole path: only shells know what ~ stands for" }),
    default: "",
  }),
  host: setting({
    doc: "Address to listen on. 0.0.0.0 opens the box to its network.",
    env: "FORECOURT_HOST",
    schema: Type.String({ minLength: 1 }),
    default: "127.0.0.1",
  }),
  port: setting({
    doc: "Port to listen on; 0 takes a free one.",
    env: "FORECOURT_PORT",
    schema: Type.Integer({ minimum: 0, maximum: 65_535 }),
    default: 3250,
  }),
  publicUrl: setting({
    doc: "How clients reach this box, e.g. https://ai.example.org; used in the URLs of answers. Empty: taken from each request.",
    env: "FORECOURT_PUBLIC_URL",
    schema: webAddress({
      pattern: "^([^?#]*[^/?#])?$",
      expected: "an address such as https://ai.example.org, without a slash at its end, or empty",
      mayBeEmpty: true,
    }),
    default: "",
  }),
  tls: {
    cert: setting({
      doc: "File with the certificate (and its chain) to serve https with, in PEM; `forecourt tls init` makes one. Empty: plain http.",
      env: "FORECOURT_TLS_CERT",
      schema: Type.String(),
      default: "",
    }),
    key: setting({
      doc: "File with the certificate's private key, in PEM.",
      env: "FORECOURT_TLS_KEY",
      schema: Type.String(),
      default: "",
    }),
  },
  allowOrigins: setting({
    doc: "Origins of web pages that may call this box with a key, e.g. https://app.example.org; * for all, none forbids it.",
    env: "FORECOURT_ALLOW_ORIGINS",
    // A slash at its end would make it one that no browser has.
    schema: Type.Array(
      Type.String({
        pattern: "^(\\*|null|[a-z][a-z0-9+.-]*://[^/\\s]+)$",
        expected: "an origin such as https://app.example.org, without a path, or *",
      }),
    ),
    default: ["*"],
  }),
  device: setting({
    doc: "Where models run. auto takes the best device that works.",
    env: "FORECOURT_DEVICE",
    schema: choice(["auto", "cpu", "webgpu", "cuda"]),
    default: "auto",
  }),
  threads: setting({
    doc: "Threads of a runner on the CPU; 0 is one for each core.",
    env: "FORECOURT_THREADS",
    schema: Type.Integer({ minimum: 0, maximum: 1024 }),
    default: 0,
  }),
  log: {
    level: setting({
      doc: "Least important lines that are written.",
      env: "FORECOURT_LOG_LEVEL",
      schema: choice(["debug", "info", "warn", "error"]),
      default: "info",
    }),
    format: setting({
      doc: "json: one object a line. text: for people. auto: text on a terminal, else json.",
      env: "FORECOURT_LOG_FORMAT",
      schema: choice(["auto", "json", "text"]),
      default: "auto",
    }),
  },
  tracing: {
    endpoint: setting({
      doc: "OpenTelemetry collector that traces are sent to over OTLP/HTTP, e.g. http://127.0.0.1:4318. Empty: none.",
      env: "FORECOURT_TRACING_ENDPOINT",
      schema: addressOrNone("http://127.0.0.1:4318"),
      default: "",
    }),
    percent: setting({
      doc: "Share of requests that are traced, in percent. Callers that send a traceparent decide for theirs.",
      env: "FORECOURT_TRACING_PERCENT",
      schema: Type.Number({ minimum: 0, maximum: 100 }),
      default: 100,
    }),
  },
  runtime: runtimeSettings,
  memory: memorySettings,
  jobs: {
    retries: setting({
      doc: "Further attempts of a job whose runner was killed (out of memory, kill -9).",
      env: "FORECOURT_JOBS_RETRIES",
      schema: Type.Integer({ minimum: 0, maximum: 100 }),
      default: 3,
    }),
    retentionDays: setting({
      doc: "Finished jobs, their results and their files are removed after this many days.",
      env: "FORECOURT_JOBS_RETENTION_DAYS",
      schema: Type.Number({ exclusiveMinimum: 0, maximum: MOST_DAYS }),
      default: 30,
    }),
    roomMb: setting({
      doc: "Room for the requests of one key together with their results and output files, for as long as they are kept, in MiB. 0 is no limit.",
      env: "FORECOURT_JOBS_ROOM_MB",
      schema: Type.Integer({ minimum: 0 }),
      default: 524_288,
    }),
    batchWindowMs: setting({
      doc: "How long a request of a model with limits.maxBatch above 1 may wait for others that can run with it.",
      env: "FORECOURT_JOBS_BATCH_WINDOW_MS",
      schema: Type.Number({ minimum: 0, maximum: 1000 }),
      default: 5,
    }),
    maxQueue: setting({
      doc: "Waiting jobs of all models together beyond which further ones are refused.",
      env: "FORECOURT_JOBS_MAX_QUEUE",
      schema: Type.Integer({ minimum: 1 }),
      default: 100_000,
    }),
  },
  pools: setting({
    doc: 'Devices set apart for some models, so that a video never delays a picture: a list of {name, devices: [cuda:1], models: ["category:text-to-video", "owner/*"], concurrency (0 = no limit), maxQueue}. The first pool that fits a model counts; other models use the devices of no pool. In the environment: as JSON.',
    env: "FORECOURT_POOLS",
    schema: Type.Array(
      Type.Object(
        {
          name: Type.String({ minLength: 1 }),
          devices: Type.Array(deviceName, { minItems: 1 }),
          models: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
          concurrency: Type.Integer({ minimum: 0, default: 0 }),
          maxQueue: Type.Integer({ minimum: 1, default: 10_000 }),
        },
        { additionalProperties: false },
      ),
    ),
    default: [],
  }),
  usage: {
    retentionDays: setting({
      doc: "Rows of finished requests in the usage ledger are kept for so many days; their sums by hour, day and month for ever.",
      env: "FORECOURT_USAGE_RETENTION_DAYS",
      schema: Type.Number({ minimum: 32, maximum: MOST_DAYS }),
      default: 400,
    }),
  },
  database: {
    synchronous: setting({
      doc: "full: an accepted job survives a power cut. normal: it survives any crash but not a power cut.",
      env: "FORECOURT_DATABASE_SYNCHRONOUS",
      schema: choice(["full", "normal"]),
      default: "full",
    }),
  },
  limits: {
    bodyMb: setting({
      doc: "Largest request body, in MiB. JSON of any size has at most 250,000 values and 50,000 names of fields.",
      env: "FORECOURT_LIMITS_BODY_MB",
      schema: Type.Integer({ minimum: 1, maximum: 4096 }),
      default: 64,
    }),
  },
  openai: openAiSettings,
  realtime: {
    sessionSeconds: setting({
      doc: "A realtime connection without an input for this long is closed.",
      env: "FORECOURT_REALTIME_SESSION_SECONDS",
      schema: Type.Number({ minimum: 1, maximum: 86_400 }),
      default: 60,
    }),
  },
  storage: {
    maxUploadMb: setting({
      doc: "Largest file that may be uploaded, in MiB.",
      env: "FORECOURT_STORAGE_MAX_UPLOAD_MB",
      schema: Type.Integer({ minimum: 1 }),
      default: 5120,
    }),
    roomMb: setting({
      doc: "Room for the uploaded files of one key together, in MiB; each counts with 16 KiB more than it has; and as much for batches that have not ended. 0 is no limit.",
      env: "FORECOURT_STORAGE_ROOM_MB",
      schema: Type.Integer({ minimum: 0 }),
      default: 51_200,
    }),
    s3: s3Settings,
  },
  alerts: alertSettings,
  webhooks: {
    retrySeconds: setting({
      doc: "Wait before a webhook that failed is sent again; it doubles with each further attempt, up to an hour.",
      env: "FORECOURT_WEBHOOKS_RETRY_SECONDS",
      schema: Type.Number({ minimum: 0.05, maximum: 3600 }),
      default: 5,
    }),
  },
  fetch: {
    allow: setting({
      doc: "Private networks (10.0.0.0/8), addresses or host names that input URLs and webhooks may point to; otherwise only public ones.",
      env: "FORECOURT_FETCH_ALLOW",
      schema: Type.Array(Type.String({ minLength: 1 })),
      default: [],
    }),
    maxMb: setting({
      doc: "Largest file that is fetched for an input URL, in MiB.",
      env: "FORECOURT_FETCH_MAX_MB",
      schema: Type.Integer({ minimum: 1 }),
      default: 100,
    }),
    timeoutSeconds: setting({
      doc: "Longest time to fetch one input URL.",
      env: "FORECOURT_FETCH_TIMEOUT_SECONDS",
      schema: Type.Number({ exclusiveMinimum: 0, maximum: 86_400 }),
      default: 30,
    }),
  },
  hub: {
    endpoint: setting({
      doc: "Where model repositories are fetched from: the Hub or a mirror of it. Empty: HF_ENDPOINT, else https://huggingface.co.",
      env: "FORECOURT_HUB_ENDPOINT",
      schema: addressOrNone("https://huggingface.co"),
      default: "",
    }),
    token: setting({
      doc: "Token for gated and private repositories and for higher limits; sent to the endpoint alone. Empty: HF_TOKEN or the one that `hf auth login` stored.",
      env: "FORECOURT_HUB_TOKEN",
      schema: Type.String(),
      default: "",
      isSecret: true,
    }),
    caches: setting({
      doc: "Hugging Face caches (.../hub) whose files are used where they lie, never written. Empty: the one of this account, if there is one.",
      env: "FORECOURT_HUB_CACHES",
      schema: Type.Array(Type.String({ minLength: 1 })),
      default: [],
    }),
    proxy: setting({
      doc: "HTTP proxy for downloads, e.g. http://proxy.example:3128. Empty: HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
      env: "FORECOURT_HUB_PROXY",
      schema: addressOrNone("http://proxy.example:3128"),
      default: "",
    }),
    offline: setting({
      doc: "Never ask the Hub: only weights that are on this machine are used. By default as HF_HUB_OFFLINE says.",
      env: "FORECOURT_HUB_OFFLINE",
      schema: Type.Boolean(),
      default: false,
    }),
  },
  models: {
    watchSeconds: setting({
      doc: "Seconds between two looks at the model files of <data>/models: what was changed, and then stayed as it is until the next look, is served from then on. 0: only at the start, at `forecourt models reload` and at SIGHUP.",
      env: "FORECOURT_MODELS_WATCH_SECONDS",
      schema: Type.Number({ minimum: 0, maximum: 86_400 }),
      default: 2,
    }),
  },
  weights: {
    fetch: setting({
      doc: "When a server fetches missing weights. ahead: those of <data>/models at its start, others once a request needs them. asked: all once a request needs them. never: only `forecourt models pull` does.",
      env: "FORECOURT_WEIGHTS_FETCH",
      schema: choice(["ahead", "asked", "never"]),
      default: "ahead",
    }),
    track: setting({
      doc: "Models, by id, alias or pattern such as openai/*, that follow their branch: its new commits become theirs once they have passed a trial. Beside those whose files say `track`.",
      env: "FORECOURT_WEIGHTS_TRACK",
      schema: Type.Array(Type.String({ minLength: 1 })),
      default: [],
    }),
    updateHours: setting({
      doc: "Hours between two looks for new revisions of these models; 0: only `forecourt models update` looks.",
      env: "FORECOURT_WEIGHTS_UPDATE_HOURS",
      schema: Type.Number({ minimum: 0, maximum: MOST_HOURS }),
      default: 24,
    }),
    bandwidthMbps: setting({
      doc: "Most that downloads of weights may take together, in megabits per second; 0 is no limit.",
      env: "FORECOURT_WEIGHTS_BANDWIDTH_MBPS",
      schema: Type.Number({ minimum: 0 }),
      default: 0,
    }),
    connections: setting({
      doc: "Connections of all downloads of weights together.",
      env: "FORECOURT_WEIGHTS_CONNECTIONS",
      schema: Type.Integer({ minimum: 1, maximum: 64 }),
      default: 8,
    }),
  },
} as const satisfies SettingTree;

/** Resolved settings; parts get the slice they need. */
export type Settings = ValuesOf<typeof settingTree>;

/** Settings by dotted name as in appliance.yaml (`jobs.max_queue`): texts as given on the command line, or values. */
export type SettingFlags = Record<string, string | number | boolean | undefined>;

/**
 * Defaults < `config` or `<data>/appliance.yaml` < environment < flags. Throws `misconfigured`, of flags `bad_request`,
 * naming where the wrong value comes from; a `config` that does not exist is an error too.
 */
export function resolveSettings(given: {
  flags?: SettingFlags;
  config?: string;
  env?: Record<string, string | undefined>;
}): Resolved<Settings> {
  const env = given.env ?? process.env;
  return resolve<Settings>(settingTree, {
    flags: given.flags ?? {},
    env,
    ...(given.config !== undefined && { config: given.config }),
    dataByDefault: defaultData(env),
    inherited: inheritedFrom(env),
  });
}

/** What Hugging Face's own variables and login say counts where nothing of ours is set. */
function inheritedFrom(env: Record<string, string | undefined>): Map<string, { value: unknown; origin: string }> {
  const { endpoint, token, caches, isOffline } = huggingFaceEnvironment({ env, home: env.HOME || homedir() });
  const known = { endpoint, token, ...(caches.length > 0 && { caches }), ...(isOffline && { offline: true }) };
  const given = Object.entries(known).filter(([, value]) => value !== undefined);
  return new Map(given.map(([name, value]) => [`hub.${name}`, { value, origin: "Hugging Face's environment" }]));
}

/** The defaults alone, with `data` as given: for tests and tools. */
export const defaultSettings = (data: string): Settings =>
  resolve<Settings>(settingTree, { flags: { data }, env: {}, dataByDefault: data, readFile: () => undefined }).settings;

/** systemd names the service's directory in STATE_DIRECTORY. */
function defaultData(env: Record<string, string | undefined>): string {
  const ofService = env.STATE_DIRECTORY?.split(":")[0];
  if (ofService) return ofService;
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), ".local", "share"), "forecourt");
}

/**
 * Where systemd listens to a service of Type=notify (sd_notify(3)), and within which time it is to hear of progress: that of the unit
 * (sd_watchdog_enabled(3)) where it has one, zero for none. Undefined when systemd did not start this process.
 */
export function serviceFacts(env: Record<string, string | undefined> = process.env) {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = env;
  const watchdog = milliseconds(micros === undefined ? WATCHDOG_MS : Number(micros) / 1000);
  const isOurs = watchdog > 0 && (pid ?? String(process.pid)) === String(process.pid);
  return socket ? { socket, ...(isOurs && { watchdog }) } : undefined;
}

/** Nothing that a server does holds its event loop up for seconds. */
const WATCHDOG_MS = 60_000;

/** What child processes get of this one's environment: all of it. */
export const ownEnvironment = (env: Record<string, string | undefined> = process.env): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

/** Vulkan drivers that count instead of the installed ones (Vulkan-Loader, "Driver Discovery"); none: the installed ones. */
export const vulkanManifests = (env: Record<string, string | undefined> = process.env): string[] =>
  (env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES || "").split(":").filter((path) => path !== "");
