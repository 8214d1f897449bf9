/**
 * Sends malformed frames to a served process on many connections, and watches it from one more: how long an ordinary question waits, and
 * how much memory the process takes.
 */
import { connect } from 'node:net'
import { apiVersions } from '@assay/protocol'
import { usageOf } from '../../bench/process-usage.ts'
import { requestOf } from '../../filled.ts'
import { rawClient } from '../../raw-client.ts'
import type { Mutant } from './mutations.ts'

export interface StormOptions {
  readonly kafka: string
  readonly pid: number
  readonly mutants: Iterable<Mutant>
  /** Memory is compared from here on: V8 and LevelDB first take what they keep under any load. */
  readonly warmUp: number
}

export interface StormResult {
  readonly sent: number
  readonly answered: number
  readonly closed: number
  /** Neither answered nor closed for 10 s. */
  readonly stuck: readonly string[]
  /** The longest that the process was busy with something else while an ordinary question waited. */
  readonly busyMs: number
  readonly rssMiB: { readonly before: number; readonly largest: number }
  readonly seconds: number
}

const CONNECTIONS = 8
const STUCK_MS = 10_000
const PATIENCE_MS = 100
const PING_EVERY_MS = 10
const ABOUT = requestOf(apiVersions, { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' })

const isWhole = (bytes: Buffer): boolean => bytes.readInt32BE(0) === bytes.length - 4

export async function storm({ kafka, pid, mutants, warmUp }: StormOptions): Promise<StormResult> {
  const [host, port] = [kafka.slice(0, kafka.lastIndexOf(':')), Number(kafka.slice(kafka.lastIndexOf(':') + 1))]
  const rest = mutants[Symbol.iterator]()
  const stuck: string[] = []
  let [sent, answered, closed] = [0, 0, 0]
  let isOver = false
  let [busyMs, before, largest] = [0, 0, 0]

  const sendOne = ({ bytes, kind, of }: Mutant): Promise<void> =>
    new Promise(resolve => {
      const socket = connect({ host, port })
      let hasAnswer = false
      const timer = setTimeout(() => {
        stuck.push(`${of}: ${kind}: ${bytes.toString('hex').slice(0, 400)}`)
        socket.destroy()
      }, STUCK_MS)
      socket.on('error', () => {})
      socket.on('data', () => {
        hasAnswer = true
        socket.destroy()
      })
      socket.on('close', () => {
        clearTimeout(timer)
        if (hasAnswer) answered++
        else closed++
        resolve()
      })
      // A whole frame is answered or closed. The end tells that nothing more is to come, to one that waits for the rest of a frame, for
      // other members of a group, or for nothing, since nobody is to be answered.
      socket.write(bytes)
      const patience = setTimeout(() => socket.end(), isWhole(bytes) ? PATIENCE_MS : 0)
      socket.once('close', () => clearTimeout(patience))
    })

  async function sender(): Promise<void> {
    for (;;) {
      const next = rest.next()
      if (next.done) return
      await sendOne(next.value)
      sent++
      if (sent === warmUp) before = usageOf(pid)?.rssMiB ?? 0
    }
  }

  /** A wait counts only as far as the process itself was at work: on a busy machine others take the time. */
  async function watch(): Promise<void> {
    const client = await rawClient(kafka)
    while (!isOver) {
      const cpu = usageOf(pid)?.cpuMs ?? 0
      const asked = performance.now()
      await client.ask(apiVersions, 3, ABOUT)
      const waited = performance.now() - asked
      busyMs = Math.max(busyMs, Math.min(waited, (usageOf(pid)?.cpuMs ?? 0) - cpu))
      if (before > 0) largest = Math.max(largest, usageOf(pid)?.rssMiB ?? 0)
      await new Promise(resolve => setTimeout(resolve, PING_EVERY_MS))
    }
    client.close()
  }

  const began = performance.now()
  const watching = watch()
  await Promise.all(Array.from({ length: CONNECTIONS }, sender))
  isOver = true
  await watching
  return {
    sent,
    answered,
    closed,
    stuck,
    busyMs,
    rssMiB: { before, largest: Math.max(before, largest) },
    seconds: (performance.now() - began) / 1000
  }
}
