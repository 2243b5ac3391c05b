// Settings of an S3-compatible store for uploads and outputs; without a bucket they lie on this box's disk.
import { Type } from "../../core/schema.ts";
import { addressOrNone, setting } from "./setting.ts";

export const s3Settings = {
  bucket: setting({
    doc: "Bucket of an S3-compatible store for uploads and outputs. Empty: they are kept below the data directory.",
    env: "FORECOURT_STORAGE_S3_BUCKET",
    schema: Type.String({
      pattern: "^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$",
      expected: "a bucket's name: 3 to 63 small letters, digits, dots and hyphens, or empty",
    }),
    default: "",
  }),
  endpoint: setting({
    doc: "Where the store answers, e.g. https://minio.example:9000. Empty: Amazon's, by region.",
    env: "FORECOURT_STORAGE_S3_ENDPOINT",
    schema: addressOrNone("https://minio.example:9000"),
    default: "",
  }),
  region: setting({
    doc: "Region that requests are signed for.",
    env: "FORECOURT_STORAGE_S3_REGION",
    schema: Type.String({ minLength: 1 }),
    default: "us-east-1",
  }),
  accessKeyId: setting({
    doc: "Key id for the bucket, with the rights to list, read, write and delete.",
    env: "FORECOURT_STORAGE_S3_ACCESS_KEY_ID",
    schema: Type.String(),
    default: "",
    isSecret: true,
  }),
  secretAccessKey: setting({
    doc: "The key's secret.",
    env: "FORECOURT_STORAGE_S3_SECRET_ACCESS_KEY",
    schema: Type.String(),
    default: "",
    isSecret: true,
  }),
  sessionToken: setting({
    doc: "Token of temporary keys.",
    env: "FORECOURT_STORAGE_S3_SESSION_TOKEN",
    schema: Type.String(),
    default: "",
    isSecret: true,
  }),
  prefix: setting({
    doc: "Put before every object's name, e.g. forecourt/.",
    env: "FORECOURT_STORAGE_S3_PREFIX",
    schema: Type.String({
      pattern: "^([A-Za-z0-9][A-Za-z0-9._/-]*)?$",
      expected: "letters, digits and . _ / -, beginning with a letter or digit, or empty",
      maxLength: 200,
    }),
    default: "",
  }),
  virtualHosted: setting({
    doc: "Put the bucket's name into the host, not into the path.",
    env: "FORECOURT_STORAGE_S3_VIRTUAL_HOSTED",
    schema: Type.Boolean(),
    default: false,
  }),
};
