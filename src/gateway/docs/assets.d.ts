// Files that the executable carries: importing them `with { type: "file" }` gives their path.
declare module "swagger-ui-dist/swagger-ui-bundle.js" {
  const path: string;

  export = path;
}
declare module "swagger-ui-dist/swagger-ui.css" {
  const path: string;

  export = path;
}
