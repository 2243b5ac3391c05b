// Settings that are well written and that the server refuses all the same when it starts.
import { createResidency } from "../../control/scheduler/residency.ts";
import type { Settings } from "../../control/settings.ts";
import { createAddressGuard } from "../../control/storage/public-address.ts";
import { toFailure } from "../../core/errors.ts";
import { readTls } from "../../gateway/listen.ts";
import type { Complaint } from "./report.ts";

export function refusedSettings(settings: Settings): Complaint[] {
  const remedy = "correct that setting; the server does not start with it";
  const { fetch, tls } = settings;
  return [() => createAddressGuard(fetch.allow), () => readTls(tls), () => createResidency(settings)].flatMap(
    (read) => {
      try {
        read();
        return [];
      } catch (error) {
        return [{ severity: "failed", what: toFailure(error).message, remedy } as const];
      }
    },
  );
}
