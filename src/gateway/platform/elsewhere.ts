// Parts of fal's platform API that a box has no use for, each with what does here what is wanted of it there.
import { ForecourtError } from "../../core/errors.ts";

/** By what their paths begin with, below /v1. */
const INSTEAD: readonly (readonly [string, string])[] = [
  [
    "account/focus",
    "What was used and what it cost is at GET /platform/v1/models/usage and /platform/v1/models/billing-events, and as CSV at GET /admin/v1/usage?format=csv.",
  ],
  [
    "account/model-access-controls",
    "Which models a key may use is said when it is made: `models` of POST /admin/v1/keys, shown by GET /admin/v1/keys.",
  ],
  [
    "assets",
    "Files are uploaded at POST /rest/storage/upload/initiate; who may read them is at /platform/v1/storage/files/acl.",
  ],
  ["compute", "This box rents out no machines; its own devices are at GET /admin/v1/status."],
  [
    "serverless",
    "A box serves models, not apps of its callers: GET /platform/v1/models. Its runners and queue are at GET /admin/v1/status and /admin/v1/queue, its metrics at GET /metrics, requests that are over at GET /platform/v1/models/requests/by-endpoint, what they cost at GET /platform/v1/models/usage.",
  ],
  [
    "organization",
    "A box is one organization, whose teams are named by their keys: GET /admin/v1/usage?by=team and /admin/v1/limits, and of all keys GET /platform/v1/models/usage and /platform/v1/models/billing-events.",
  ],
];

/** `path` begins with `v1/`. Throws `not_implemented`, whatever the method, with the way to what there is. */
export function refuseElsewhere(path: string): void {
  const below = path.replace(/^v1\//, "");
  const known = INSTEAD.find(([part]) => path !== below && (below === part || below.startsWith(`${part}/`)));
  if (!known) return;
  const [part, instead] = known;
  throw new ForecourtError("not_implemented", `This box does not serve /platform/v1/${part}. ${instead}`);
}
