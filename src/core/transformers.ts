// An object of transformers.js as a pipeline sees it: its methods by name, with our own tensors and pictures.

/**
 * Arguments and results are plain data, except that tensors are `Tensor` and pictures are `Pixels` of ours, also deep
 * inside of lists and objects. Methods of one object must not be called at the same time.
 */
export type TransformersObject = {
  /**
   * Calls one of its methods; "" = the object itself, where it is a function (a processor, one pass of a model). The
   * options of `generate` take two more: `signal` ends it within one token with the signal's reason, and
   * `adjust(ids, scores)` may change the scores of the next token in place, for each text of a batch.
   */
  call(method: string, ...given: unknown[]): Promise<unknown>;
  /** A property, e.g. `config`. */
  get(name: string): unknown;
};
