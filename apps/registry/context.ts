/** What the registry's own routes work with. */
import type { Registry } from '@assay/registry'
import type { Metrics } from './metrics.ts'

export interface RegistryContext {
  readonly registry: Registry
  readonly metrics: Metrics
  /** The text of /openapi.json, with every route that is mounted. */
  readonly openApi: () => string
  /** The same as a page for people. */
  readonly docs: () => string
  /** Names the data, as the Kafka door does. */
  readonly clusterId: string
  /** From the start of the process until requests could be answered. */
  readonly startupSeconds: number
}
