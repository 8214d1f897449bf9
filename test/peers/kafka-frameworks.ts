/** Kafka Streams, Kafka Connect and MirrorMaker 2 from Maven Central, each in a Java process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../served.ts'
import { javaOf } from './java.ts'
import { mavenJars } from './maven-jars.ts'

const cache = join(import.meta.dirname, '../../.cache/kafka-frameworks')
const pom = join(import.meta.dirname, 'kafka-frameworks-pom.xml')
const JAVA_VERSION_MIN = 17
const OUTPUT_CHARACTERS_MAX = 1 << 20

export interface JavaProcess {
  readonly pid: number
  /** The last of what it has written. */
  output(): string
  /** Resolves once it has written this; fails when it ends before, or after the time. */
  says(what: RegExp, timeoutMs: number): Promise<void>
  /** SIGTERM, and SIGKILL if that takes more than 20 seconds. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

export interface KafkaFrameworks {
  /** A class of the jars, or the path of a Java source file, with its arguments. */
  start(program: string, args: readonly string[]): JavaProcess
}

/** The jars, resolved on first use, or why they cannot be had here. */
export function kafkaFrameworks(): KafkaFrameworks | { readonly missing: string } {
  const java = javaOf(JAVA_VERSION_MIN)
  if (java === undefined) return { missing: `there is no Java ${JAVA_VERSION_MIN}` }
  const jars = mavenJars({ pom, directory: cache })
  if ('missing' in jars) return jars
  const logging = join(temporaryDirectory(), 'log4j2.properties')
  writeFileSync(
    logging,
    'rootLogger.level=info\nrootLogger.appenderRefs=out\nrootLogger.appenderRef.out.ref=OUT\nappender.out.type=Console\nappender.out.name=OUT\nappender.out.layout.type=PatternLayout\nappender.out.layout.pattern=%d{HH:mm:ss.SSS} %p %c{1}: %m%n%throwable{5}\n'
  )
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Dlog4j2.configurationFile=${logging}`]
  return { start: (program, args) => started(java, [...flags, '-cp', join(cache, '*'), program, ...args]) }
}

function started(java: string, args: readonly string[]): JavaProcess {
  const child = spawn(java, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARACTERS_MAX)
    })
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await exited
    clearTimeout(timer)
  }
  return {
    pid: child.pid!,
    output: () => output,
    async says(what, timeoutMs) {
      for (const deadline = Date.now() + timeoutMs; !what.test(output); ) {
        const isGone = child.exitCode !== null || child.signalCode !== null
        if (isGone || Date.now() > deadline)
          throw new Error(`${isGone ? 'it ended and' : `in ${timeoutMs} ms it`} did not say ${what}:\n${output.slice(-8000)}`)
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL')
  }
}
