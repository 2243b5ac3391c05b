// What doctor found: facts of this box and the complaints that follow from them.
import type { Room } from "../../control/data-room.ts";
import type { DatabaseFacts } from "../../control/database/file-facts.ts";
import type { Hardware } from "../../control/hardware/detect.ts";
import type { SettingOrigin } from "../../control/settings/resolve.ts";
import type { Version } from "../version.ts";

/** `failed`: Forecourt can't work like this. `warning`: it works, but less well. */
export type Complaint = { severity: "failed" | "warning"; what: string; remedy: string };

export type DataFacts = {
  path: string;
  state: "absent" | "writable" | "read-only";
  /** Of the file system that holds it, or will hold it. */
  freeBytes: number;
  totalBytes: number;
  hasDatabase: boolean;
  /** Null where it cannot be read. */
  database: DatabaseFacts | null;
  /** What its parts take, largest first. */
  room: Room[];
  /** false: that file system is mounted noexec. */
  mayLoadCode: boolean;
};

/** Where the native libraries come from. */
export type RuntimeFacts =
  | { source: "node_modules" }
  | { source: "executable"; path: string; isUnpacked: boolean; bytes: number };

/** Where uploads and outputs are kept; `reason` says why a bucket cannot be used. */
export type StorageFacts = { place: string; reason: string | null };

/** Who listens where the server would. */
export type ServerFacts = { origin: string; state: "free" | "ready" | "starting" | "silent" | "foreign" };

export type Report = {
  version: Version;
  system: { name: string; kernel: string; glibc: string | null };
  devices: Hardware["devices"];
  problems: Hardware["problems"];
  trials?: Hardware["trials"];
  data: DataFacts;
  storage: StorageFacts;
  runtime: RuntimeFacts;
  server: ServerFacts;
  models: number;
  settings: SettingOrigin[];
  complaints: Complaint[];
};
