// How onnxruntime is to run a model's graphs: the options of a model file, as a schema.
import { choice, type Static, Type } from "../core/schema.ts";

/**
 * Only what onnxruntime-node 1.30 hands on (js/node/src/session_options_helper.cc): of CUDA's own options it knows the
 * device alone, so that neither a limit of CUDA's arena nor CUDA graphs can be asked for.
 */
export const executionSchema = Type.Object(
  {
    optimization: choice(["all", "layout", "extended", "basic", "disabled"], {
      default: "all",
      description: "How far graphs are rewritten when they are loaded; less of it loads faster and runs slower",
    }),
    threads: Type.Integer({ minimum: 0, maximum: 1024, default: 0, description: "On the CPU; 0: as the setting says" }),
    arena: Type.Boolean({
      default: true,
      description: "Whether freed main memory is kept for the next run; false gives it back and is slower",
    }),
    memoryPattern: Type.Boolean({
      default: true,
      description: "Whether memory is laid out ahead for shapes that come again; false where they never do",
    }),
    memoryLimit: Type.Integer({
      minimum: 0,
      default: 0,
      description: "Bytes of main memory beyond which its process is ended after a run, and started anew; 0: none",
    }),
    prepacking: choice(["load", "late"], {
      default: "load",
      description:
        "When weights of single precision are laid out anew for the CPU; late: after the first answer, which comes earlier and may differ from later ones in its last digits",
    }),
    session: Type.Record(Type.String(), Type.String(), {
      default: {},
      description:
        "onnxruntime's session configuration entries, e.g. session.use_device_allocator_for_initializers: '1'",
    }),
  },
  { additionalProperties: false, default: {} },
);

export type Execution = Static<typeof executionSchema>;
