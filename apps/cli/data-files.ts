/** Files in the data directory besides the log. */

/** docs/formats/registry-snapshot.md. */
export const REGISTRY_SNAPSHOT = 'registry.snapshot'
