// What the operations of the CDN's face work with.
import type { Tokens } from "../../control/keys/tokens.ts";
import type { Uploads } from "../../control/storage/uploads.ts";
import type { Authenticate } from "../authenticate.ts";

export type CdnParts = {
  uploads: Uploads;
  tokens: Tokens;
  /** The face of jobs' output files, whose URLs are as good under this name. */
  readOutput: (request: Request, names: string) => Promise<Response>;
  /** By key or storage token. */
  authenticate: Authenticate;
};

/** Groups of the path's pattern. */
export type Names = { token?: string; name?: string; secret?: string; number?: string; output?: string };
