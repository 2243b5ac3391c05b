// What a language model may call here: a tool's name, what it takes, and what it gives back, in no protocol's words yet.
import type { Appliance } from "../../control/appliance.ts";
import type { Catalog } from "../../control/catalog/catalog.ts";
import { parse, type Static, type TObject } from "../../core/schema.ts";
import type { Instant } from "../../core/units.ts";
import type { Call } from "../fal/call.ts";

export type ToolParts = Pick<
  Appliance,
  | "keys"
  | "tokens"
  | "jobs"
  | "history"
  | "outputs"
  | "accounts"
  | "files"
  | "uploads"
  | "importFile"
  | "fileDefaults"
  | "workflows"
  | "supply"
  | "scheduler"
> & {
  /** Only what the caller's key may use. */
  catalog: Catalog;
  clock: { now(): Instant };
  /** A tool that runs a model answers within this, with the result or with how to ask for it. */
  waitMs: number;
};

/** `at` grows with every call. */
export type Progress = { at: number; of?: number; message?: string };

export type Asked = {
  call: Call;
  /** Aborted when the caller has lost interest. */
  signal: AbortSignal;
  tell(progress: Progress): void;
};

/** `value` may hold data URIs and URLs of this box; content.ts makes both into what a language model can use. */
export type Answer = { value: Record<string, unknown>; isError?: true };

export type Tool = {
  /** Letters, digits, `_` and `-`, at most 64: what every client takes. */
  name: string;
  title: string;
  description: string;
  input: TObject;
  /** Changes nothing and costs nothing. */
  isReading: boolean;
  /** `input` is unchecked. Throws ForecourtErrors. */
  answer(parts: ToolParts, asked: Asked, input: unknown): Promise<Answer>;
};

type Described<Input extends TObject> = Omit<Tool, "input" | "answer"> & {
  input: Input;
  answer(parts: ToolParts, asked: Asked, input: Static<Input>): Answer | Promise<Answer>;
};

/** The one place where a tool's own types are forgotten: its input is parsed here, and throws `invalid_input`. */
export const tool = <Input extends TObject>({ input, answer, ...rest }: Described<Input>): Tool => ({
  ...{ ...rest, input },
  answer: async (parts, asked, given) => await answer(parts, asked, parse(input, given, ["arguments"])),
});
