// Identifiers: branded strings, globally unique; those made here are time-ordered (UUIDv7) or unguessable.
import type { Branded } from "./units.ts";

export type JobId = Branded<string, "JobId">;
export type KeyId = Branded<string, "KeyId">;
/** `owner/name[/variant]`, the id of a file of models/. */
export type ModelId = Branded<string, "ModelId">;
export type RunnerId = Branded<string, "RunnerId">;
export type BatchId = Branded<string, "BatchId">;
/** `cpu`, `cuda:N` or `webgpu:N`. */
export type DeviceId = Branded<string, "DeviceId">;
/** Names a job's folder of files; 128 random bits, so that knowing one file's URL is the right to read it. */
export type FileToken = Branded<string, "FileToken">;

export const newJobId = () => Bun.randomUUIDv7() as JobId;
export const newKeyId = () => Bun.randomUUIDv7() as KeyId;
export const newRunnerId = () => Bun.randomUUIDv7() as RunnerId;
export const newBatchId = () => Bun.randomUUIDv7() as BatchId;
export const newFileToken = () =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url") as FileToken;

/** Branding of a string that was already checked (a database row, a validated file). */
export const asId = <Id extends string>(value: string) => value as Id;
