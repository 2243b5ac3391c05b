// The package has no types; only what is used here.
declare module "gltf-validator" {
  export function validateBytes(bytes: Uint8Array): Promise<unknown>;
}
