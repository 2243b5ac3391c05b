// A model with what follows from its file: its own schemas, or an endpoint's.
import type { TObject } from "../../core/schema.ts";
import type { Model } from "../../engine/model.ts";
import type { EndpointWords } from "./endpoint-words.ts";

export type CatalogEntry = {
  model: Model;
  input: TObject;
  output: TObject;
  /** Of a message of a realtime connection, where the model takes these. */
  frame?: TObject;
  /** Of the model's file, checked and with defaults. */
  warmups: readonly Record<string, unknown>[];
  /** Of an endpoint whose requests are in other words than its pipeline's. */
  words?: EndpointWords;
  /** Has an input that may hold a URL. */
  takesMedia: boolean;
  /** `built-in` or the path of the operator's file. */
  origin: string;
};

export type Endpoint = { endpoint: string; entry: CatalogEntry };
