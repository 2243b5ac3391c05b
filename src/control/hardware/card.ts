// What is said of a card: how it can be used, or why it can't.
import type { Device } from "../../core/device.ts";
import type { DeviceId } from "../../core/ids.ts";

/** A way to use a card; the ordinal among its kind is given out later. */
export type Way = Omit<Device, "id" | "index">;

export type Obstacle = { reason: string; remedy: string };

/** `ways` best first; empty when `obstacle` is the whole story. */
export type CardVerdict = { name: string; ways: Way[]; obstacle?: Obstacle };

/** A card that was seen but can't be used, and what to do about it. */
export type DeviceProblem = { name: string } & Obstacle;

/** What became of the test inference on a device, and whether it was remembered from earlier. */
export type Trial = { device: DeviceId; ms: number; isRemembered: boolean };

/** `trials`: of devices that passed. */
export type Hardware = { devices: Device[]; problems: DeviceProblem[]; trials?: Trial[] };
