// Gathers what doctor reports.
import { accessSync, constants, existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createCatalog } from "../../control/catalog/catalog.ts";
import type { WrongFile } from "../../control/catalog/wrong-file.ts";
import { chooseDevices } from "../../control/choose-device.ts";
import { roomIn, roomText } from "../../control/data-room.ts";
import { databaseFacts } from "../../control/database/file-facts.ts";
import { databaseFile, refusalOf } from "../../control/database/open.ts";
import { findDevices } from "../../control/find-devices.ts";
import type { Hardware } from "../../control/hardware/detect.ts";
import type { Resolved } from "../../control/settings/resolve.ts";
import type { Settings } from "../../control/settings.ts";
import { chosenBucket } from "../../control/storage/choose-store.ts";
import { vainHere } from "../../control/vain-here.ts";
import { type VainSetting, vainVariable } from "../../control/vain-settings.ts";
import { toFailure } from "../../core/errors.ts";
import { embeddedFolder } from "../../engine/embedded/embedded.ts";
import { originOf, placeOf, stateOf } from "../running-server.ts";
import { sizeText } from "../terminal.ts";
import { versionFacts } from "../version.ts";
import { changedSince } from "./changed-since.ts";
import { forbidsCode } from "./mounted.ts";
import { refusedSettings } from "./refused-settings.ts";
import type { Complaint, DataFacts, Report, RuntimeFacts, ServerFacts, StorageFacts } from "./report.ts";

/** Unpacked libraries and some pictures; models bring their own needs. */
const LEAST_FREE_BYTES = 1024 ** 3;

/** Changes nothing on this box; a wrong model file is a complaint, wrong settings throw `misconfigured`. */
export async function examine({ settings, origins, unknownVariables }: Resolved<Settings>): Promise<Report> {
  const [hardware, system, data, storage, server] = await Promise.all([
    findDevices({ settings, trials: mayTry(settings.data) ? "made" : "remembered" }),
    systemFacts(),
    dataFacts(settings.data),
    storageFacts(settings),
    serverFacts(placeOf({ settings, origins })),
  ]);
  const models = countModels(settings, hardware);
  const runtime = runtimeFacts(settings.data);
  return {
    version: versionFacts(),
    system,
    ...hardware,
    data,
    storage,
    runtime,
    server,
    models: models.count,
    settings: origins,
    complaints: [
      ...ofData(data),
      ...ofCode(data, runtime),
      ...ofDatabase(data),
      ...ofStorage(storage),
      ...ofServer(server),
      ...ofHardware(hardware, settings.device),
      ...models.complaints,
      ...refusedSettings(settings),
      ...changedSince({ settings, origins }),
      ...unknownVariables.map(vainVariable).map(ofVain),
    ],
  };
}

async function systemFacts(): Promise<Report["system"]> {
  const { osInfo } = await import("systeminformation");
  const { distro, release, kernel } = await osInfo();
  return { name: `${distro} ${release}`.trim(), kernel, glibc: glibcVersion() };
}

/** Read from the process's own report: no program needs to be asked. */
function glibcVersion(): string | null {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }; // Node's report format
  return header.glibcVersionRuntime ?? null;
}

async function dataFacts(path: string): Promise<DataFacts> {
  const standing = nearestFolder(path);
  const { bavail, blocks, bsize } = await statfs(standing);
  const mayWrite = isWritable(standing);
  return {
    path,
    mayLoadCode: !forbidsCode(standing),
    state: mayWrite ? (standing === path ? "writable" : "absent") : "read-only",
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    hasDatabase: existsSync(databaseFile(path)),
    database: databaseFacts(databaseFile(path)) ?? null,
    room: await roomIn(path),
  };
}

async function storageFacts({ storage, data }: Settings): Promise<StorageFacts> {
  const bucket = chosenBucket(storage);
  if (!bucket) return { place: join(data, "files"), reason: null };
  const reason = await bucket.check().then(
    () => null,
    (error: unknown) => toFailure(error).message,
  );
  return { place: bucket.place, reason };
}

const nearestFolder = (path: string): string => (existsSync(path) ? path : nearestFolder(dirname(path)));

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false; // that it can't be written is the answer
  }
}

/** A trial unpacks what it runs with; where that was not done before, nothing is tried: this command changes nothing. */
function mayTry(data: string): boolean {
  const runtime = runtimeFacts(data);
  return runtime.source === "node_modules" || runtime.isUnpacked;
}

function runtimeFacts(data: string): RuntimeFacts {
  const natives = embeddedFolder("native");
  if (!natives) return { source: "node_modules" };
  const path = join(data, "runtime", `native-${natives.hash}`);
  const bytes = natives.files.reduce((sum, { size }) => sum + size, 0);
  return { source: "executable", path, isUnpacked: existsSync(path), bytes };
}

async function serverFacts(place: ReturnType<typeof placeOf>): Promise<ServerFacts> {
  const origin = originOf(place);
  const state = await stateOf(place);
  if (state !== "absent") return { origin, state };
  return { origin, state: (await canListen(place)) ? "free" : "foreign" };
}

/** Tries it: only the system knows every reason why not. */
async function canListen({ host, port }: Pick<Settings, "host" | "port">): Promise<boolean> {
  const probe = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  probe.once("error", () => resolve(false));
  probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  return promise;
}

function countModels(settings: Settings, hardware: Hardware): { count: number; complaints: Complaint[] } {
  try {
    const catalog = createCatalog({ data: settings.data });
    const devices = usable(hardware, settings.device);
    const vain = vainHere({ settings, catalog, devices });
    return { count: catalog.list().length, complaints: [...catalog.wrong().map(ofWrongFile), ...vain.map(ofVain)] };
  } catch (error) {
    const remedy = "mend that; the server does not start with it";
    return { count: 0, complaints: [{ severity: "failed", what: toFailure(error).message, remedy }] };
  }
}

function ofWrongFile({ reason, claims }: WrongFile): Complaint {
  const without =
    claims.length > 0 ? `; until then a server that is started serves nothing as ${claims.join(", ")}` : "";
  return { severity: "failed", what: reason, remedy: `correct or remove that file${without}` };
}

/** None where the wanted kind is not here, which is a complaint of its own. */
const usable = (hardware: Hardware, wanted: Settings["device"]) =>
  wanted === "auto" || hardware.devices.some(({ kind }) => kind === wanted) ? chooseDevices(hardware, wanted) : [];

const ofVain = ({ what, remedy, refuses }: VainSetting): Complaint => ({
  severity: refuses ? "failed" : "warning",
  ...{ what, remedy },
});

/** Less of it is not worth a stop of the server. */
const MUCH_UNUSED_BYTES = 256 * 1024 * 1024;

function ofData({ path, state, freeBytes, database, room }: DataFacts): Complaint[] {
  const complaints: Complaint[] = [];
  if (state === "read-only") {
    const remedy = "give this user the right to write there, or name another directory with --data or FORECOURT_DATA";
    complaints.push({ severity: "failed", what: `the data directory ${path} can't be written`, remedy });
  }
  if (freeBytes < LEAST_FREE_BYTES) {
    const taken = roomText(room);
    const what = `only ${sizeText(freeBytes)} are free where the data directory is${taken && `, which takes: ${taken}`}`;
    const remedy =
      "free some space (`forecourt models remove` for weights; files that callers uploaded stay unless their requests or their key's storage settings give them a lifetime), or move it with --data";
    complaints.push({ severity: "warning", what, remedy });
  }
  if (database && !database.canShrink && database.unusedBytes >= MUCH_UNUSED_BYTES) {
    const what = `the database keeps ${sizeText(database.unusedBytes)} that nothing is in any more: it was made by a version that gave nothing back`;
    const remedy =
      "stop the server, `forecourt backup FILE`, `forecourt restore FILE`: what is restored is as small as its content, and gives back from then on";
    complaints.push({ severity: "warning", what, remedy });
  }
  return complaints;
}

function ofDatabase({ path, hasDatabase, database }: DataFacts): Complaint[] {
  if (!hasDatabase) return [];
  const file = databaseFile(path);
  const refusal = database && refusalOf(file, database.schema);
  const remedy = "the server does not start with it";
  if (refusal) return [{ severity: "failed", what: refusal, remedy }];
  if (database) return [];
  const way = "examine it with the account that the server runs as; if it is damaged, restore a backup";
  return [{ severity: "failed", what: `the database ${file} cannot be read`, remedy: way }];
}

/** What the executable unpacks there, and a vendor's libraries, are code. */
function ofCode({ path, mayLoadCode }: DataFacts, { source }: RuntimeFacts): Complaint[] {
  if (mayLoadCode) return [];
  const severity = source === "executable" ? "failed" : "warning";
  const what = `the file system of ${path} is mounted noexec, so no libraries can be loaded from there`;
  return [{ severity, what, remedy: `mount it with exec (\`findmnt -T ${path}\`), or name another place with --data` }];
}

function ofStorage({ reason }: StorageFacts): Complaint[] {
  if (reason === null) return [];
  const remedy = "check storage.s3: endpoint, bucket, region and key; until then outputs wait on this disk";
  return [{ severity: "failed", what: reason, remedy }];
}

function ofServer({ origin, state }: ServerFacts): Complaint[] {
  if (state === "silent") {
    const what = `what listens at ${origin} does not answer: a server that is busy or stands still, or another program`;
    return [
      { severity: "failed", what, remedy: "try again, look at the server's log, or choose another port with --port" },
    ];
  }
  if (state !== "foreign") return [];
  const what = `another program holds ${origin}, or this user may not listen there`;
  return [{ severity: "failed", what, remedy: "stop that program, or choose another port with --port" }];
}

function ofHardware({ devices, problems }: Hardware, wanted: Settings["device"]): Complaint[] {
  const idle = problems.map(
    ({ name, reason, remedy }): Complaint => ({ severity: "warning", what: `${name}: ${reason}`, remedy }),
  );
  if (wanted === "auto" || devices.some(({ kind }) => kind === wanted)) return idle;
  const what = `the device ${wanted} is set, but this box has none that works`;
  return [...idle, { severity: "failed", what, remedy: "mend what the warnings say, or set device to auto" }];
}
