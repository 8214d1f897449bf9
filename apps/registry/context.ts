/** What the registry's own routes work with. */
import type { AssayError } from '@assay/errors'
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
  /** Why nothing can be written now; undefined when it can. */
  readonly storageRefusal: () => AssayError | undefined
  /** From the start of the process until requests could be answered. */
  readonly startupSeconds: number
}
