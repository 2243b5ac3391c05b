// Settings of OpenAI's API.
import { Type } from "../../core/schema.ts";
import { type SettingTree, setting } from "./setting.ts";

const id = Type.String({ minLength: 1 });

export const openAiSettings = {
  models: setting({
    doc: "Names that clients of OpenAI's API bring along, and the models of this box that answer to them, e.g. {gpt-4o-mini: owner/model, gpt-image-1: [owner/draws, owner/edits]}; of several the first for the kind of request. In the environment: as JSON.",
    env: "FORECOURT_OPENAI_MODELS",
    schema: Type.Record(
      Type.String({ minLength: 1, maxLength: 200 }),
      Type.Union([id, Type.Array(id, { minItems: 1 })]),
    ),
    default: {},
  }),
  voices: setting({
    doc: "The same for voices of speech, e.g. {alloy: af_heart, nova: default}; `default` is a model's first. In the environment: as JSON.",
    env: "FORECOURT_OPENAI_VOICES",
    schema: Type.Record(Type.String({ minLength: 1, maxLength: 200 }), id),
    default: {},
  }),
  conversations: {
    roomMb: setting({
      doc: "Room for the conversations of one key together, in MiB; each, and each item, counts with half a KiB more than it has. One may be as large as a request's body. 0 is no limit.",
      env: "FORECOURT_OPENAI_CONVERSATIONS_ROOM_MB",
      schema: Type.Integer({ minimum: 0 }),
      default: 256,
    }),
  },
} as const satisfies SettingTree;
