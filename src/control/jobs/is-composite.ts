// Which jobs are other jobs: their endpoint ids are in a namespace that no model file has.
const PREFIX = "workflows/";

export const isComposite = (model: string) => model.startsWith(PREFIX);
