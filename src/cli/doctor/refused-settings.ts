// Settings that are well written and that the server, or its clients, refuse all the same.
import { createResidency } from "../../control/scheduler/residency.ts";
import type { Settings } from "../../control/settings.ts";
import { createAddressGuard } from "../../control/storage/public-address.ts";
import { toFailure } from "../../core/errors.ts";
import { staleCertificate } from "../../gateway/certificate.ts";
import type { Complaint } from "./report.ts";

export function refusedSettings(settings: Settings): Complaint[] {
  const { fetch, tls } = settings;
  return [
    ...unlessThrown(() => void createAddressGuard(fetch.allow)),
    ...unlessThrown(() => void createResidency(settings)),
    ...unlessThrown(() => ofCertificate(tls)),
  ];
}

function unlessThrown(check: () => Complaint | undefined): Complaint[] {
  try {
    return [check() ?? []].flat();
  } catch (error) {
    const remedy = "correct that setting; the server does not start with it";
    return [{ severity: "failed", what: toFailure(error).message, remedy }];
  }
}

function ofCertificate(tls: Settings["tls"]): Complaint | undefined {
  const stale = staleCertificate(tls, new Date());
  return stale && { severity: stale.isRefused ? "failed" : "warning", what: stale.what, remedy: stale.remedy };
}
