/** Apache Kafka 4.4 as a peer: one KRaft node on 127.0.0.1, its jars resolved by Maven, ended by its process ID. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../served.ts'
import { freePort } from './free-port.ts'
import { type Jars, mavenJars } from './maven-jars.ts'

const cache = join(import.meta.dirname, '../../.cache/apache-kafka')
const pom = join(import.meta.dirname, 'pom.xml')
const READY_TIMEOUT_MS = 60_000
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk'

export interface Peer {
  readonly name: string
  readonly kafka: string
  readonly pid: number
  readonly readyMs: number
  stop(): Promise<void>
}

/** Starts a node with Kafka's own defaults (page cache, no fsync per append), or says why it cannot be had here. */
export async function startApacheKafka(): Promise<Peer | { readonly missing: string }> {
  if (spawnSync('java', ['-version']).error) return { missing: 'java is not installed' }
  const jars = apacheKafkaJars()
  if ('missing' in jars) return jars
  const directory = temporaryDirectory()
  const [port, controllerPort] = [await freePort(), await freePort()]
  const config = join(directory, 'server.properties')
  writeFileSync(config, properties(directory, port, controllerPort))
  const logging = join(directory, 'log4j2.properties')
  writeFileSync(
    logging,
    'rootLogger.level=info\nrootLogger.appenderRefs=out\nrootLogger.appenderRef.out.ref=OUT\nappender.out.type=Console\nappender.out.name=OUT\nappender.out.layout.type=PatternLayout\nappender.out.layout.pattern=%m%n\n'
  )
  const java = (...args: string[]): string[] => [`-Dlog4j2.configurationFile=${logging}`, '-cp', join(cache, '*'), ...args]
  const format = spawnSync('java', java('kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', config), {
    encoding: 'utf8'
  })
  if (format.status !== 0) return { missing: `formatting the log directory failed: ${format.stderr || format.stdout}` }
  const started = performance.now()
  const child = spawn('java', ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC', ...java('kafka.Kafka', config)], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  await ready(child)
  return {
    name: 'Apache Kafka 4.4',
    kafka: `127.0.0.1:${port}`,
    pid: child.pid!,
    readyMs: performance.now() - started,
    async stop() {
      const exited = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await exited
      clearTimeout(timer)
    }
  }
}

/** The folder of Apache Kafka's jars, resolved on first use, or why it cannot be had here. */
export const apacheKafkaJars = (): Jars => mavenJars({ pom, directory: cache })

function properties(directory: string, port: number, controllerPort: number): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(directory, 'log'),
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (reason: string): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`Apache Kafka ${reason}:\n${output.slice(-4000)}`))
    }
    const timer = setTimeout(() => fail(`was not ready within ${READY_TIMEOUT_MS} ms`), READY_TIMEOUT_MS)
    const ended = (code: number | null): void => fail(`ended with ${code}`)
    child.once('exit', ended)
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-65_536)
        if (!output.includes('Kafka Server started')) return
        clearTimeout(timer)
        child.off('exit', ended)
        resolve()
      })
    }
  })
}
