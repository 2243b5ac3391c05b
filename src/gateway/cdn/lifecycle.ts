// How long an upload is kept and who may read it, as the uploader's headers say.
import { type Lifecycle, OPEN, readLifecycle } from "../../control/storage/acl.ts";

/** fal's JavaScript client sends the first, its Python client both. Throws `bad_request`. */
export function lifecycleOf(headers: Headers): Lifecycle {
  const json = headers.get("x-fal-object-lifecycle") ?? headers.get("x-fal-object-lifecycle-preference");
  return json === null ? { acl: OPEN } : readLifecycle(json);
}
