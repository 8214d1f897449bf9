/** The matrix: every client takes every step, at Apache Kafka and at Assay, and the two outcomes stand side by side. */
import { apiVersions, findCoordinator, offsetFetch } from '@assay/protocol'
import { requestOf } from '../../../filled.ts'
import { rawClient } from '../../../raw-client.ts'
import { type MatrixClient, type Outcomes, takeSteps } from './clients.ts'
import { needs, type Step, steps } from './steps.ts'

export interface Place {
  readonly name: string
  readonly kafka: string
}

export interface Cell {
  readonly client: string
  readonly step: Step
  /** Outcome by the name of the place; undefined where the step was not taken. */
  readonly outcomes: Readonly<Record<string, string | undefined>>
}

const stepNames = Object.keys(steps) as Step[]

/** Steps whose API is served there. */
export async function stepsAt(kafka: string): Promise<Step[]> {
  const client = await rawClient(kafka)
  const about = requestOf(apiVersions, { clientSoftwareName: 'matrix', clientSoftwareVersion: '1' })
  const { apiKeys } = await client.ask(apiVersions, 3, about)
  client.close()
  const served = new Set(apiKeys.map(({ apiKey }) => apiKey))
  return stepNames.filter(step => needs[step] === undefined || served.has(needs[step].key))
}

/** Kafka makes the topic of committed offsets when the first group asks for it: not all clients wait that long. */
export async function comeUp(kafka: string): Promise<void> {
  const client = await rawClient(kafka)
  const groups = [{ groupId: 'first', memberId: null, memberEpoch: -1, topics: null }]
  for (let left = 300; left > 0; left--) {
    await client.ask(findCoordinator, 4, requestOf(findCoordinator, { keyType: 0, coordinatorKeys: ['first'] }))
    const answer = await client.ask(offsetFetch, 9, requestOf(offsetFetch, { groups }))
    if (answer.groups[0]!.errorCode === 0) break
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  client.close()
}

/** One client at all places, one after the other. */
export async function cellsOf(client: MatrixClient, places: readonly Place[]): Promise<Cell[] | { readonly missing: string }> {
  const command = client.prepare()
  if ('missing' in command) return command
  const run = `${client.name.replace(/\W/g, '')}-${Date.now().toString(36)}`
  const taken = new Map<string, Outcomes>()
  for (const { name, kafka } of places) {
    taken.set(name, await takeSteps(command, { kafka, prefix: run, steps: await stepsAt(kafka) }))
  }
  return stepNames.map(step => ({
    client: client.name,
    step,
    outcomes: Object.fromEntries(places.map(({ name }) => [name, outcomeOf(taken.get(name)!, step)]))
  }))
}

/** A program that broke off is wrong in each step that it did not come to. */
const outcomeOf = ({ outcomes, ended }: Outcomes, step: Step): string | undefined => outcomes.get(step) ?? ended

/** `ok`, `-` where a client cannot or the place does not serve it, else what went wrong. */
export function row(client: string, cells: readonly Cell[], place: string): Record<string, string> {
  const shown = cells.map(({ step, outcomes }) => {
    const outcome = outcomes[place]
    return [step, outcome === undefined ? '-' : outcome === 'ok' ? 'ok' : 'FAILS']
  })
  return { client, at: place, ...Object.fromEntries(shown) }
}
