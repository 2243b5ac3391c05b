// How long an upload is kept and who may read it, as the uploader's headers say.
import { type Lifecycle, readLifecycle } from "../../control/storage/acl.ts";

/** fal's JavaScript client sends the first, its Python client both. Empty without them. Throws `bad_request`. */
export function lifecycleOf(headers: Headers): { lifecycle?: Lifecycle } {
  const json = headers.get("x-fal-object-lifecycle") ?? headers.get("x-fal-object-lifecycle-preference");
  return json === null ? {} : { lifecycle: readLifecycle(json) };
}
