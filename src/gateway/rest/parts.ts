// What the operations of the REST face work with.
import type { Tokens } from "../../control/keys/tokens.ts";
import type { Uploads } from "../../control/storage/uploads.ts";

export type RestParts = { tokens: Pick<Tokens, "issue">; uploads: Pick<Uploads, "begin"> };
