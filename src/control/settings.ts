// Every setting: schema, documentation, default and environment name in one entry; resolved once.

/** Resolved settings; parts get the slice they need. */
export type Settings = {
  /** Data directory, absolute. */
  data: string;
  host: string;
  port: number;
};
