// The store that the settings name.
import { ForecourtError } from "../../core/errors.ts";
import type { Settings } from "../settings.ts";
import { createS3Store, type S3Store } from "./s3-store.ts";

/** Undefined when files stay on this disk. Throws `misconfigured` for a bucket without a key. */
export function chosenBucket({ s3 }: Pick<Settings["storage"], "s3">): S3Store | undefined {
  if (s3.bucket === "") return undefined;
  if (s3.accessKeyId === "" || s3.secretAccessKey === "")
    throw new ForecourtError(
      "misconfigured",
      "storage.s3.bucket is set, but not the key for it: set storage.s3.access_key_id and storage.s3.secret_access_key.",
    );
  return createS3Store(s3);
}
