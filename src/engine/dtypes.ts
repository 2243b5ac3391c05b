// What the numbers of a graph are, by transformers.js' names, and how its files are called then.
// transformers.js 4, src/utils/dtypes.js: DEFAULT_DTYPE_SUFFIX_MAPPING.

/** Suffixes of file names: `onnx/model.onnx` in four bits is `onnx/model_q4.onnx`. */
const DTYPE_SUFFIXES = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
  q2: "_q2",
  q2f16: "_q2f16",
  q1: "_q1",
  q1f16: "_q1f16",
} as const;

export type Dtype = keyof typeof DTYPE_SUFFIXES;
// The keys of a literal.
export const dtypes = Object.keys(DTYPE_SUFFIXES) as Dtype[];

/** The path of a graph in a dtype. */
export const pathIn = (dtype: Dtype, graph: string) => graph.replace(/\.onnx$/, `${DTYPE_SUFFIXES[dtype]}.onnx`);

/** Which dtype `path` is of the graph that the pipeline asks for as `graph`; undefined where its name does not tell. */
export function dtypeOfFile(graph: string, path: string): Dtype | undefined {
  const stem = stemOf(graph);
  return dtypes.find((each) => `${stem}${DTYPE_SUFFIXES[each]}` === stemOf(path));
}

const stemOf = (path: string) => path.replace(/^.*\//s, "").replace(/\.onnx$/, "");
