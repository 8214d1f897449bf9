/** What the service counts, for Prometheus. One set per server, so that several can stand in one process. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Registry } from '@assay/registry'
import { type MetricSet, metricSet } from './metric-set.ts'

export interface Metrics {
  /** Others may add metrics of their own; `/metrics` prints all. */
  readonly set: MetricSet
  answered(route: string, method: string, status: number, seconds: number): void
  refused(code: string): void
  checked(isCompatible: boolean): void
}

/** How often the event loop is looked at. A timer that comes in time shows this much: what is beyond it is delay. */
const DELAY_RESOLUTION_MS = 10
const QUANTILES = [0.5, 0.9, 0.99, 1]

export function openMetrics(registry: Registry): Metrics {
  const set = metricSet()
  const requests = set.counter({
    name: 'assay_http_requests_total',
    help: 'HTTP requests answered.',
    labelNames: ['method', 'route', 'status']
  })
  const duration = set.histogram({
    name: 'assay_http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer.',
    labelNames: ['method', 'route'],
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
  })
  const refusals = set.counter({
    name: 'assay_http_refusals_total',
    help: 'Requests that ended in an expected failure, by its name.',
    labelNames: ['error']
  })
  const checks = set.counter({
    name: 'assay_registry_compatibility_checks_total',
    help: 'Compatibility verdicts, of registrations and of checks on request.',
    labelNames: ['compatible']
  })
  const gauge = (name: string, help: string, read: () => number): void => set.gauge({ name, help, read })
  gauge('assay_registry_subjects', 'Subjects with any version, soft-deleted ones included.', () => registry.facts().subjects)
  gauge('assay_registry_schemas', 'Different schemas, each with its ID.', () => registry.facts().schemas)
  gauge('assay_registry_max_schema_id', 'The highest schema ID ever given.', () => registry.facts().maxSchemaId)
  gauge('assay_registry_journal_offset', 'The first journal offset not yet applied.', () => registry.facts().nextOffset)
  const delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delays.enable()
  set.gauge({
    name: 'assay_event_loop_delay_seconds',
    help: 'How late the event loop came to its work since the metrics were last read; quantile 1 is the longest delay.',
    labelNames: ['quantile'],
    read() {
      const samples = QUANTILES.map(quantile => {
        const delayMs = delays.count === 0 ? 0 : delays.percentile(quantile * 100) / 1e6 - DELAY_RESOLUTION_MS
        return { labels: [String(quantile)], value: Math.max(0, delayMs) / 1000 }
      })
      delays.reset()
      return samples
    }
  })
  return {
    set,
    answered(route, method, status, seconds) {
      requests(method, route, String(status))
      duration(seconds, method, route)
    },
    refused: refusals,
    checked: isCompatible => checks(String(isCompatible))
  }
}
