/** What the registry's own routes work with. */
import type { Registry } from '@assay/registry'
import type { Metrics } from './metrics.ts'

export interface RegistryContext {
  readonly registry: Registry
  readonly metrics: Metrics
  /** The text of /openapi.json, with every route that is mounted. */
  readonly openApi: () => string
}
