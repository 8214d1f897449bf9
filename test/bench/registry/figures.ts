/** What is measured, and how the rounds of one figure become one row. */
import type { Usage } from '../process-usage.ts'
import { percentile } from '../table.ts'
import type { FixedOutcome, FixedRequest } from './fixed-load.ts'
import type { RegistrationOrder, RegistrationOutcome } from './registration-load.ts'
import { measuredSchema } from './schemas.ts'

/** A registry under measurement, with the subject that its fixed requests ask about. */
export interface Target {
  readonly name: string
  readonly isPeer: boolean
  readonly url: string
  readonly pid: number
  readonly subject: string
  readonly schemaId: number
}

interface Named {
  readonly name: string
  readonly what: string
  /** Requests a second that Assay is to reach here, fsync included. */
  readonly goal: number
}

export interface FixedFigure extends Named {
  readonly request: (target: Target) => FixedRequest
}

export interface TimedFigure extends Named {
  readonly order: Pick<RegistrationOrder, 'to' | 'count' | 'inFlight'>
}

/** The name of the schema that is there, and that is sent where the same one is looked up or registered again. */
export const SCHEMA_NAME = 'Measured'

const bodyOf = (extra = 0): string => JSON.stringify({ schema: measuredSchema(SCHEMA_NAME, extra) })

export const fixedFigures: readonly FixedFigure[] = [
  {
    name: 'by-id',
    what: 'schema by ID',
    goal: 20_000,
    request: ({ url, schemaId }) => ({ method: 'GET', url: `${url}/schemas/ids/${schemaId}` })
  },
  {
    name: 'latest',
    what: 'latest version',
    goal: 20_000,
    request: ({ url, subject }) => ({ method: 'GET', url: `${url}/subjects/${subject}/versions/latest` })
  },
  {
    name: 'look-up',
    what: 'look-up',
    goal: 10_000,
    request: ({ url, subject }) => ({ method: 'POST', url: `${url}/subjects/${subject}`, body: bodyOf() })
  },
  {
    name: 'check',
    what: 'compatibility check',
    goal: 10_000,
    request: ({ url, subject }) => ({
      method: 'POST',
      url: `${url}/compatibility/subjects/${subject}/versions/latest`,
      body: bodyOf(1)
    })
  },
  {
    name: 'again',
    what: 'registered again',
    goal: 10_000,
    request: ({ url, subject }) => ({ method: 'POST', url: `${url}/subjects/${subject}/versions`, body: bodyOf() })
  }
]

export const timedFigures: readonly TimedFigure[] = [
  { name: 'new', what: '1,000 new subjects, 8 in flight', goal: 2000, order: { to: 'new subjects', count: 1000, inFlight: 8 } },
  {
    name: 'versions',
    what: '200 versions of one, BACKWARD_TRANSITIVE',
    goal: 500,
    order: { to: 'one subject', count: 200, inFlight: 1 }
  }
]

export const figureNames = [...fixedFigures, ...timedFigures].map(({ name }) => name)

/** Of the registry, before and after a round. */
export interface Used {
  readonly before: Usage | undefined
  readonly after: Usage | undefined
  readonly seconds: number
}

export interface Row {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the first and the last twenty of a row of registrations, the mean. */
  readonly first20Ms?: number
  readonly last20Ms?: number
  readonly bad: number
  /** The registry's share of one core, in percent. */
  readonly cpuPercent: number | undefined
  readonly rssMiB: number | undefined
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function usedBy(rounds: readonly Used[]): Pick<Row, 'cpuPercent' | 'rssMiB'> {
  const isKnown = rounds.every(({ before, after }) => before !== undefined && after !== undefined)
  if (!isKnown) return { cpuPercent: undefined, rssMiB: undefined }
  return {
    cpuPercent: mean(rounds.map(({ before, after, seconds }) => (after!.cpuMs - before!.cpuMs) / seconds / 10)),
    rssMiB: Math.max(...rounds.map(({ after }) => after!.rssMiB))
  }
}

/** The mean of all rounds; of the p99, the worst. */
export function fixedRow(rounds: readonly (FixedOutcome & Used)[]): Row {
  return {
    requestsPerSecond: mean(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
    p50Ms: mean(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(...rounds.map(({ p99Ms }) => p99Ms)),
    bad: rounds.reduce((sum, { bad }) => sum + bad, 0),
    ...usedBy(rounds)
  }
}

/** All rounds as if they had been one; first and last as the mean over the rounds. */
export function timedRow(rounds: readonly (RegistrationOutcome & Used)[]): Row {
  const latencies = rounds.flatMap(round => round.latencies)
  return {
    requestsPerSecond: latencies.length / rounds.reduce((sum, { seconds }) => sum + seconds, 0),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    first20Ms: mean(rounds.map(round => mean(round.latencies.slice(0, 20)))),
    last20Ms: mean(rounds.map(round => mean(round.latencies.slice(-20)))),
    bad: 0,
    ...usedBy(rounds)
  }
}
