/** A registry of many versions: how fast it takes them, how fast it starts with them, what they cost in memory, and whether that comes back. */
import { usageOf } from '../bench/process-usage.ts'
import { measuredSchema } from '../bench/registry/schemas.ts'
import { type HttpCaller, httpCaller } from '../http-caller.ts'
import { type Served, serve } from '../served.ts'
import { heapEnvironment, openHeapView } from './heap.ts'

export interface ScaleOptions {
  readonly subjects: number
  readonly versionsPerSubject: number
  /** Deleted for ever, all their versions. */
  readonly deletedSubjects: number
  readonly say?: (what: string) => void
}

export interface ScaleFigures {
  readonly versions: number
  readonly registrationsPerSecond: number
  /** From spawn to the ready line, each start after an orderly stop. */
  readonly readyMs: readonly number[]
  /** Right after the start. */
  readonly rssMiB: number
  /** After every version was listed once, and read by its ID. */
  readonly rssReadMiB: number
  readonly deletedVersions: number
  /** In use after garbage collection: of an empty registry, of the full one, and after the deletes. */
  readonly heapMiB: { readonly empty: number; readonly full: number; readonly afterDeletes: number }
  /** What was missing or other than registered. */
  readonly faults: readonly string[]
}

const IN_FLIGHT = 64
const STARTS = 3
const WARM_UP_SUBJECTS = 100
const PAGE = 1000
const args = ['--log-level', 'warn']

/** Needs /proc for RSS, which is NaN elsewhere. */
export async function measureScale({
  subjects,
  versionsPerSubject,
  deletedSubjects,
  say = () => {}
}: ScaleOptions): Promise<ScaleFigures> {
  let served = await serve({ args, env: heapEnvironment })
  const { directory } = served
  const again = async (env: Readonly<Record<string, string>> = {}): Promise<void> => {
    await served.stop()
    served = await serve({ directory, args, env })
  }
  try {
    const empty = await heapOf(served)
    const versions = subjects * versionsPerSubject
    const started = performance.now()
    await fill(served.http, { subjects, versionsPerSubject })
    const registrationsPerSecond = versions / ((performance.now() - started) / 1000)
    say(`${versions} versions registered, ${Math.round(registrationsPerSecond)}/s`)

    const readyMs: number[] = []
    for (let start = 0; start < STARTS; start++) {
      await again()
      readyMs.push(served.readyMs)
      say(`ready after ${Math.round(served.readyMs)} ms`)
    }
    const rssMiB = rssOf(served)
    const faults = await faultsAmong(served.http, { subjects, versionsPerSubject })
    const rssReadMiB = rssOf(served)
    say(`RSS ${Math.round(rssMiB)} MiB, ${Math.round(rssReadMiB)} MiB when all was read`)

    await again(heapEnvironment)
    // What the first deletes leave behind is their code, compiled.
    await deleteForEver(served.http, 0, WARM_UP_SUBJECTS)
    const full = await heapOf(served)
    await deleteForEver(served.http, WARM_UP_SUBJECTS, WARM_UP_SUBJECTS + deletedSubjects)
    const afterDeletes = await heapOf(served)
    const deletedVersions = deletedSubjects * versionsPerSubject
    say(`heap ${Math.round(full)} MiB, ${Math.round(afterDeletes)} MiB after ${deletedVersions} versions were deleted for ever`)
    const heapMiB = { empty, full, afterDeletes }
    return { versions, registrationsPerSecond, readyMs, rssMiB, rssReadMiB, deletedVersions, heapMiB, faults }
  } finally {
    await served.stop()
  }
}

const subjectOf = (at: number): string => `scale-${at}-value`
/** Every subject has schemas of its own. */
const schemaOf = (subject: number, version: number): string => measuredSchema(`Scale${subject}`, version)

interface Extent {
  readonly subjects: number
  readonly versionsPerSubject: number
}

async function fill(http: string, { subjects, versionsPerSubject }: Extent): Promise<void> {
  await eachSubject(http, { from: 0, to: subjects }, async (server, subject) => {
    for (let version = 0; version < versionsPerSubject; version++) {
      await must(server, 'POST', `/subjects/${subjectOf(subject)}/versions`, { schema: schemaOf(subject, version) })
    }
  })
}

async function deleteForEver(http: string, from: number, to: number): Promise<void> {
  await eachSubject(http, { from, to }, async (server, subject) => {
    await must(server, 'DELETE', `/subjects/${subjectOf(subject)}`)
    await must(server, 'DELETE', `/subjects/${subjectOf(subject)}?permanent=true`)
  })
}

interface Span {
  readonly from: number
  /** The first that is left out. */
  readonly to: number
}

/** Many subjects at a time, each by itself. */
async function eachSubject(
  http: string,
  { from, to }: Span,
  run: (server: HttpCaller, subject: number) => Promise<void>
): Promise<void> {
  const server = httpCaller(http, { connections: IN_FLIGHT })
  let next = from
  const lane = async (): Promise<void> => {
    while (next < to) await run(server, next++)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  server.close()
}

async function must(server: HttpCaller, method: string, path: string, body?: object): Promise<string> {
  const { status, body: said } = await server.call(method, path, body)
  if (status !== 200) throw new Error(`${method} ${path} was answered with ${status}: ${said.slice(0, 300)}`)
  return said
}

interface Listed {
  readonly subject: string
  readonly version: number
  readonly id: number
  readonly schema: string
}

/** Lists every version, page by page, and reads each schema by its ID. */
async function faultsAmong(http: string, { subjects, versionsPerSubject }: Extent): Promise<string[]> {
  const server = httpCaller(http, { connections: IN_FLIGHT })
  const faults: string[] = []
  const ids = new Map<number, string>()
  const versions = new Map<string, number>()
  for (let offset = 0; ; offset += PAGE) {
    const page = JSON.parse(await must(server, 'GET', `/schemas?offset=${offset}&limit=${PAGE}`)) as Listed[]
    for (const { subject, version, id, schema } of page) {
      if (schema !== schemaOf(Number(subject.split('-')[1]), version - 1))
        faults.push(`version ${version} of ${subject} is another schema`)
      if (ids.has(id)) faults.push(`schema ID ${id} is that of ${ids.get(id)} and of ${subject}`)
      ids.set(id, subject)
      versions.set(subject, (versions.get(subject) ?? 0) + 1)
    }
    const bodies = await Promise.all(page.map(({ id }) => must(server, 'GET', `/schemas/ids/${id}`)))
    for (const [at, body] of bodies.entries()) {
      if ((JSON.parse(body) as { schema: string }).schema !== page[at]!.schema)
        faults.push(`schema ID ${page[at]!.id} is another schema`)
    }
    if (page.length < PAGE) break
  }
  server.close()
  if (versions.size !== subjects) faults.push(`${versions.size} subjects are there, not ${subjects}`)
  for (const [subject, count] of versions)
    if (count !== versionsPerSubject) faults.push(`${subject} has ${count} versions, not ${versionsPerSubject}`)
  return faults
}

async function heapOf(served: Served): Promise<number> {
  const view = await openHeapView(served)
  const used = await view.usedMiB()
  view.close()
  return used
}

const rssOf = ({ pid }: Served): number => usageOf(pid)?.rssMiB ?? Number.NaN
