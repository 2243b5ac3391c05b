// Files that the executable carries: importing them `with { type: "file" }` gives their path.
declare module "*.wasm" {
  const path: string;

  export = path;
}
