/**
 * One request sent again and again over several connections, each waiting for its answer: by wrk where it is installed, else by a loader of
 * our own in a process of its own, which writes the same bytes and reads no more of an answer than where it ends.
 */
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { temporaryDirectory } from '../../served.ts'
import { percentile } from '../table.ts'

export interface FixedRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly body?: string
}

export interface FixedOrder extends FixedRequest {
  readonly connections: number
  readonly seconds: number
}

export interface FixedOutcome {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers of another status than 2xx, and connections that broke. */
  readonly bad: number
}

const TYPE = 'application/vnd.schemaregistry.v1+json'

if (import.meta.main) {
  const order = JSON.parse(await text(process.stdin)) as FixedOrder
  console.log(JSON.stringify(await loadByHand(order)))
}

export const hasWrk = (): boolean => spawnSync('wrk', ['--version']).error === undefined

export function fixedLoad(order: FixedOrder, { byWrk = hasWrk() }: { readonly byWrk?: boolean } = {}): Promise<FixedOutcome> {
  return byWrk ? loadByWrk(order) : loadInChild(order)
}

let folder: string | undefined

async function loadByWrk({ method, url, body, connections, seconds }: FixedOrder): Promise<FixedOutcome> {
  folder ??= temporaryDirectory()
  const script = join(folder, 'request.lua')
  const lines = [`wrk.method = "${method}"`]
  if (body !== undefined) lines.push(`wrk.body = [==[${body}]==]`, `wrk.headers["Content-Type"] = "${TYPE}"`)
  writeFileSync(script, lines.join('\n'))
  const page = await output('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, url])
  const read = (pattern: RegExp): string | undefined => pattern.exec(page)?.[1]
  const brokenOff = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(page)?.slice(1) ?? []
  return {
    requestsPerSecond: Number(read(/Requests\/sec:\s+([\d.]+)/)),
    p50Ms: milliseconds(read(/\n\s+50%\s+(\S+)/)),
    p99Ms: milliseconds(read(/\n\s+99%\s+(\S+)/)),
    bad: Number(read(/Non-2xx or 3xx responses: (\d+)/) ?? 0) + brokenOff.reduce((sum, count) => sum + Number(count), 0)
  }
}

const units: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

function milliseconds(said = ''): number {
  const [, figure, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(said) ?? []
  return Number(figure) * (units[unit ?? ''] ?? Number.NaN)
}

async function loadInChild(order: FixedOrder): Promise<FixedOutcome> {
  const said = await output(process.execPath, ['--conditions=source', import.meta.filename], JSON.stringify(order))
  return JSON.parse(said) as FixedOutcome
}

function output(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  // A loader that ends early is told of by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const said = text(child.stdout)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => (code === 0 ? resolve(said) : reject(new Error(`${command} ended with ${code}`))))
  })
}

async function loadByHand({ connections, seconds, ...request }: FixedOrder): Promise<FixedOutcome> {
  const latencies: number[] = []
  const until = performance.now() + seconds * 1000
  const bad = await Promise.all(Array.from({ length: connections }, () => oneConnection(request, until, latencies)))
  return {
    requestsPerSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    bad: bad.reduce((sum, count) => sum + count, 0)
  }
}

function oneConnection({ method, url, body = '' }: FixedRequest, until: number, latencies: number[]): Promise<number> {
  const { hostname, port, pathname, search } = new URL(url)
  const head = [
    `${method} ${pathname}${search} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    `Content-Length: ${Buffer.byteLength(body)}`
  ]
  if (body !== '') head.push(`Content-Type: ${TYPE}`)
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  let bad = 0
  return new Promise(resolve => {
    let held = Buffer.alloc(0)
    let sent = 0
    const send = (): void => {
      sent = performance.now()
      socket.write(bytes)
    }
    socket.once('connect', send)
    socket.on('error', () => bad++)
    socket.once('close', () => resolve(bad))
    socket.on('data', chunk => {
      held = held.length === 0 ? (chunk as Buffer<ArrayBuffer>) : Buffer.concat([held, chunk as Buffer])
      const end = answerEnd(held)
      if (end === undefined) return
      if (held[9] !== 0x32) bad++
      held = held.subarray(end)
      latencies.push(performance.now() - sent)
      if (performance.now() < until) send()
      else socket.destroy()
    })
  })
}

/** Where the first answer ends, or undefined while more of it is to come. */
function answerEnd(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  if (/\r\ntransfer-encoding: chunked/i.test(head)) {
    const end = bytes.indexOf('\r\n0\r\n\r\n', headEnd)
    return end < 0 ? undefined : end + 7
  }
  const end = headEnd + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  return bytes.length < end ? undefined : end
}
