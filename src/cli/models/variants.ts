// Which variants of models a command is about: those of this box's devices, or of the kinds that were named.
import { Option } from "commander";
import { chooseDevices } from "../../control/choose-device.ts";
import { findDevices } from "../../control/find-devices.ts";
import type { Settings } from "../../control/settings.ts";
import { createVariantsHere, type VariantsHere } from "../../control/variants-here.ts";
import { type Device, type DeviceKind, deviceKinds } from "../../core/device.ts";
import { ForecourtError } from "../../core/errors.ts";
import type { Model } from "../../engine/model.ts";
import { variantsOn } from "../../engine/variants.ts";
import { wrongUsage } from "../failure.ts";

export type KindFlags = { for?: DeviceKind[] };

/** `--for`, for boxes other than this one. */
export const forKinds = () =>
  new Option(
    "--for <kinds>",
    "kinds of device that it is for, where its files differ, e.g. cpu,cuda; default: those of this box",
  ).argParser(kindsIn);

function kindsIn(text: string): DeviceKind[] {
  const names = text.split(",").map((each) => each.trim());
  const kinds = deviceKinds.filter((kind) => names.includes(kind));
  if (kinds.length === names.length) return kinds;
  throw wrongUsage(`--for ${text}: write ${deviceKinds.join(", ")} or several of them with commas.`);
}

type Question = { models: readonly Model[]; settings: Settings; kinds?: readonly DeviceKind[] | undefined };

/** Devices are looked for only if that makes a difference. */
export async function variantsFor({ models, settings, kinds }: Question): Promise<VariantsHere> {
  if (kinds) return (model) => variantsOn(model, kinds);
  if (models.every(({ devices }) => !devices)) return (model) => [model];
  return createVariantsHere({ settings, devices: await devicesHere(settings) });
}

/** As far as they are known without trying; the first is the one that models are placed on first. None of the wanted kind: empty. */
export async function devicesHere(settings: Settings): Promise<Device[]> {
  const hardware = await findDevices({ settings, trials: "remembered" });
  try {
    return chooseDevices(hardware, settings.device);
  } catch (error) {
    if (error instanceof ForecourtError && error.code === "misconfigured") return [];
    throw error;
  }
}
