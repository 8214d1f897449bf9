/** Apicurio Registry 3.3 as a peer: one process on 127.0.0.1 with its data in memory (H2), unpacked by Maven, ended by its process ID. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../served.ts'
import { freePort } from './free-port.ts'
import { javaOf } from './java.ts'

const cache = join(import.meta.dirname, '../../.cache/apicurio')
const pom = join(import.meta.dirname, 'apicurio-pom.xml')
const READY_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 20_000
/** Its classes are compiled for this one. */
const JAVA_VERSION_MIN = 21

export interface RegistryPeer {
  readonly name: string
  /** Where it answers Confluent's API. */
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** Starts it without its access log, or says why it cannot be had here. */
export async function startApicurio(): Promise<RegistryPeer | { readonly missing: string }> {
  const java = javaOf(JAVA_VERSION_MIN)
  if (java === undefined) return { missing: `no Java ${JAVA_VERSION_MIN} or later is installed` }
  const unpacked = unpack()
  if ('missing' in unpacked) return unpacked
  const [port, managementPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const env = {
    ...process.env,
    QUARKUS_HTTP_HOST: '127.0.0.1',
    QUARKUS_HTTP_PORT: String(port),
    QUARKUS_HTTP_ACCESS_LOG_ENABLED: 'false',
    QUARKUS_MANAGEMENT_HOST: '127.0.0.1',
    QUARKUS_MANAGEMENT_PORT: String(managementPort),
    QUARKUS_LOG_LEVEL: 'WARN'
  }
  const child = spawn(java, ['-Xms1g', '-Xmx1g', '-jar', join(cache, 'quarkus-run.jar')], {
    cwd: temporaryDirectory(),
    env,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  await ready(child, url)
  return {
    name: 'Apicurio 3.3',
    url,
    pid: child.pid!,
    async stop() {
      const exited = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await exited
      clearTimeout(timer)
    }
  }
}

function unpack(): { readonly missing: string } | Record<never, never> {
  const wanted = createHash('sha256').update(readFileSync(pom)).digest('hex')
  const stamp = join(cache, '.unpacked')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return {}
  if (spawnSync('mvn', ['-version']).error) return { missing: 'mvn is not installed' }
  mkdirSync(cache, { recursive: true })
  const goal = ['dependency:unpack-dependencies', `-Dcache=${cache}`, `-DoutputDirectory=${cache}`]
  const { status, stdout } = spawnSync('mvn', ['-q', '-B', '-f', pom, ...goal], { encoding: 'utf8' })
  if (status !== 0) return { missing: `Maven could not unpack it: ${stdout.trim().split('\n')[0]}` }
  writeFileSync(stamp, wanted)
  return {}
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  let output = ''
  let ended: number | null | undefined
  child.once('exit', code => {
    ended = code
  })
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-65_536)
    })
  }
  for (const until = performance.now() + READY_TIMEOUT_MS; ended === undefined && performance.now() < until; ) {
    const answer = await fetch(`${url}/subjects`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  child.kill('SIGKILL')
  throw new Error(`Apicurio Registry was not ready within ${READY_TIMEOUT_MS} ms:\n${output.slice(-4000)}`)
}
