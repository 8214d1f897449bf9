/** Kills the server again and again while several clients change the registry, and tells what became of everything. */
import { SCHEMAS_TOPIC } from '@assay/engine'
import { decodeRecord } from '@assay/registry'
import { httpCaller } from '../http-caller.ts'
import { rawClient, readRecords } from '../raw-client.ts'
import { type Served, serve } from '../served.ts'
import { randomOf } from '../suites/random.ts'
import { idAnomalies, type JournalStep, journalAnomalies, subjectAnomalies, unwrittenAnomalies } from './registry-history.ts'
import { contentOf, lookOnce, registryWriter, textOf, type WriterReport } from './registry-writer.ts'

export interface RegistryKillOptions {
  readonly kills: number
  readonly seed: number
}

export interface RegistryKillReport {
  readonly acknowledged: number
  readonly unanswered: number
  readonly schemaIds: number
  readonly journalRecords: number
  /** From spawn to the ready line, after each kill. */
  readonly readyMs: readonly number[]
  readonly anomalies: readonly string[]
}

const WRITERS = 4
const CHANGES_MIN = 20
const LIFE_MS_MAX = 300

export async function registryKillLoop({ kills, seed }: RegistryKillOptions): Promise<RegistryKillReport> {
  const random = randomOf(seed)
  let served = await serve()
  const { directory, kafka, http: url } = served
  const http = new URL(url).host
  const stopping = new AbortController()
  let acknowledged = 0
  const writers = Array.from({ length: WRITERS }, (_, at) =>
    registryWriter({
      url,
      name: `w${at}`,
      seed: randomOf(seed + 1 + at),
      signal: stopping.signal,
      onAcknowledged: () => acknowledged++
    })
  )
  const readyMs: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    // A slow machine gets as much done between two kills as a quick one.
    for (const enough = acknowledged + CHANGES_MIN; acknowledged < enough; ) await pause(5)
    await pause(random(LIFE_MS_MAX))
    await served.kill()
    served = await serve({ directory, kafka, http })
    readyMs.push(served.readyMs)
  }
  await pause(LIFE_MS_MAX)
  stopping.abort()
  const reports = await Promise.all(writers)
  const journal = await readJournal(kafka)
  const anomalies = [...(await finalAnomalies(served, reports)), ...journalOf(reports, journal)]
  const stopped = await served.stop()
  if (stopped !== 0) anomalies.push(`the server ended with ${stopped} when it was asked to stop`)
  const sum = (of: (report: WriterReport) => number): number => reports.reduce((total, report) => total + of(report), 0)
  return {
    acknowledged,
    unanswered: sum(report => report.unanswered),
    schemaIds: new Set(reports.flatMap(({ told }) => told.map(({ schemaId }) => schemaId))).size,
    journalRecords: journal.length,
    readyMs,
    anomalies
  }
}

/** Every subject once more, as it is at the end, and every schema that a version still holds, by its ID. */
async function finalAnomalies({ http }: Served, reports: readonly WriterReport[]): Promise<string[]> {
  const server = httpCaller(http)
  const anomalies: string[] = []
  const held = new Map<number, string>()
  for (const { steps } of reports) {
    for (const [subject, before] of steps) {
      const saw = await lookOnce(server, subject)
      anomalies.push(...subjectAnomalies(subject, [...before, { saw }]))
      for (const { schemaId, content } of saw.versions) held.set(schemaId!, content)
    }
  }
  for (const [schemaId, content] of held) {
    const { status, body } = await server.call('GET', `/schemas/ids/${schemaId}`)
    const text = (JSON.parse(body) as { schema?: string }).schema
    if (status !== 200 || text !== textOf(content))
      anomalies.push(`lost: schema ID ${schemaId} is ${content}, and asked for by itself ${status} ${text}`)
  }
  server.close()
  return anomalies
}

function journalOf(reports: readonly WriterReport[], journal: readonly JournalStep[]): string[] {
  const told = reports.flatMap(report => report.told)
  const written = journal.flatMap(step => ('schemaId' in step ? [step] : []))
  return [...journalAnomalies(journal), ...idAnomalies([...written, ...told]), ...unwrittenAnomalies(told, journal)]
}

/** The registry's topic, as any consumer reads it. */
async function readJournal(kafka: string): Promise<JournalStep[]> {
  const client = await rawClient(kafka)
  const steps: JournalStep[] = []
  for (let offset = 0; ; ) {
    const entries = await readRecords(client, { topic: SCHEMAS_TOPIC, partition: 0, offset })
    if (entries.length === 0) break
    for (const entry of entries) {
      const change = decodeRecord({ key: entry.key, value: entry.value })
      if (change?.type === 'schema') steps.push({ schemaId: change.id, content: contentOf(change.content.text) })
      if (change?.type === 'maxId') steps.push({ maxId: change.maxId })
    }
    offset = entries.at(-1)!.offset + 1
  }
  client.close()
  return steps
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
