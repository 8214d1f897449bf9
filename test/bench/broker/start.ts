/** From the start of a process until it answers, and what it holds while nobody asks it anything. */
import { get } from 'node:http'
import { apiVersions } from '@assay/protocol'
import { startApacheKafka } from '../../peers/apache-kafka.ts'
import { rawClient } from '../../raw-client.ts'
import { type Served, serve } from '../../served.ts'
import { usageOf } from '../process-usage.ts'
import { median } from '../rounds.ts'

export interface Starts {
  /** From spawn to the first answers: ApiVersions, and with Assay also GET / of the HTTP door. In a new data directory. */
  readonly newMs: number
  /** In a directory that has been served before; undefined for the peer. */
  readonly againMs: number | undefined
  /** After a while without load; undefined without /proc. */
  readonly idleRssMiB: number | undefined
}

export interface StartOptions {
  readonly rounds: number
  readonly idleMs: number
}

/** Medians; the brokers take turns. */
export async function measureStarts({ rounds, idleMs }: StartOptions): Promise<{ assay: Starts; peer: Starts }> {
  const assay: Starts[] = []
  const peer: Starts[] = []
  for (let round = 0; round < rounds; round++) {
    assay.push(await startAssay(idleMs))
    peer.push(await startPeer(idleMs))
  }
  return { assay: mediansOf(assay), peer: mediansOf(peer) }
}

async function startAssay(idleMs: number): Promise<Starts> {
  const first = await serve({ args: ['--log-level', 'warn'] })
  const newMs = await answeredMs(first)
  await sleep(idleMs)
  const idleRssMiB = usageOf(first.pid)?.rssMiB
  await first.stop()
  const again = await serve({ directory: first.directory, args: ['--log-level', 'warn'] })
  const againMs = await answeredMs(again)
  await again.stop()
  return { newMs, againMs, idleRssMiB }
}

async function startPeer(idleMs: number): Promise<Starts> {
  const started = await startApacheKafka()
  if ('missing' in started) throw new Error(`Apache Kafka cannot be had here: ${started.missing}`)
  const newMs = started.readyMs + (await elapsed(askApiVersions(started.kafka)))
  await sleep(idleMs)
  const idleRssMiB = usageOf(started.pid)?.rssMiB
  await started.stop()
  return { newMs, againMs: undefined, idleRssMiB }
}

/** Until the ready line, and from there until both doors have answered their first request. */
const answeredMs = async (served: Served): Promise<number> =>
  served.readyMs + (await elapsed(Promise.all([askApiVersions(served.kafka), askRoot(served.http)])))

async function elapsed(work: Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work
  return performance.now() - started
}

async function askApiVersions(address: string): Promise<void> {
  const client = await rawClient(address)
  const { errorCode } = await client.ask(apiVersions, 0, {
    clientSoftwareName: 'bench',
    clientSoftwareVersion: '1',
    clusterId: null,
    nodeId: -1
  })
  client.close()
  if (errorCode !== 0) throw new Error(`ApiVersions was answered with error ${errorCode}`)
}

function askRoot(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, answer => {
      answer.resume()
      if (answer.statusCode === 200) resolve()
      else reject(new Error(`GET / was answered with status ${answer.statusCode}`))
    }).once('error', reject)
  })
}

function mediansOf(starts: readonly Starts[]): Starts {
  const of = (figure: (start: Starts) => number | undefined): number | undefined =>
    median(starts.map(figure).filter(value => value !== undefined))
  return { newMs: of(start => start.newMs)!, againMs: of(start => start.againMs), idleRssMiB: of(start => start.idleRssMiB) }
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
