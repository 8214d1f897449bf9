/** A member of a group in a process of its own, of one client or another; all of them say the same lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Consumer, stringDeserializer } from '@platformatic/kafka'
import { apacheKafkaJars } from '../../../peers/apache-kafka.ts'
import { javaOf } from '../../../peers/java.ts'
import { pythonEnvironment } from '../python-environment.ts'

export type Mode = 'eager' | 'cooperative' | 'consumer'

export interface MemberOptions {
  readonly group: string
  /** With a `^` in front it is a pattern. */
  readonly topic: string
  readonly mode: Mode
  readonly instance?: string
  readonly assignor?: string
}

export interface Member {
  /** What it owns at this moment, as `topic-partition`, sorted. */
  readonly owned: () => string[]
  readonly read: readonly string[]
  /** How often partitions came or went. */
  readonly moves: () => number
  /** Closes the client as its users do. */
  stop(): Promise<void>
  /** Ends it at once, without a word to the broker. */
  kill(): Promise<void>
}

export interface MemberKind {
  readonly name: string
  /** Why it cannot be had here, or undefined. */
  prepare(): string | undefined
  start(bootstrap: string, options: MemberOptions): Member
}

export const python: MemberKind = {
  name: 'Python confluent-kafka',
  prepare() {
    const environment = pythonEnvironment()
    return 'missing' in environment ? environment.missing : undefined
  },
  start(bootstrap, options) {
    const environment = pythonEnvironment()
    if ('missing' in environment) throw new Error(environment.missing)
    const child = spawn(environment.python, ['-W', 'ignore', join(import.meta.dirname, 'member.py'), bootstrap], { stdio: PIPES })
    child.stdin!.write(`${JSON.stringify(options)}\n`)
    return memberOf(child)
  }
}

export const java: MemberKind = {
  name: 'Java',
  prepare() {
    if (javaOf(17) === undefined) return 'there is no Java 17'
    const jars = apacheKafkaJars()
    return 'missing' in jars ? jars.missing : undefined
  },
  start(bootstrap, { group, topic, mode, instance = '', assignor = '' }) {
    const jars = apacheKafkaJars()
    if ('missing' in jars) throw new Error(jars.missing)
    const source = join(import.meta.dirname, 'JavaMember.java')
    const args = ['-Xmx128m', '-cp', join(jars.directory, '*'), source, bootstrap, group, topic, mode, instance, assignor]
    return memberOf(spawn(javaOf(17)!, args, { stdio: PIPES }))
  }
}

/** In this process; the library knows of no pattern, and gives a partition up without committing what it read of it. */
export const platformatic: MemberKind = {
  name: '@platformatic/kafka',
  prepare: () => undefined,
  start(bootstrap, { group, topic, mode, instance }) {
    const consumer = new Consumer({
      clientId: 'conformance-platformatic',
      groupId: group,
      bootstrapBrokers: [bootstrap],
      groupProtocol: mode === 'consumer' ? 'consumer' : 'classic',
      ...(instance === undefined ? {} : { groupInstanceId: instance }),
      deserializers: { value: stringDeserializer }
    })
    const read: string[] = []
    const stream = consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: 100,
      maxWaitTime: 100
    })
    const reading = (async () => {
      for await (const message of await stream) read.push(message.value!)
    })()
    const stop = async (): Promise<void> => {
      await (await stream).close()
      await reading
      await consumer.close(true)
    }
    const owned = (): string[] =>
      (consumer.assignments ?? []).flatMap(one => one.partitions.map(partition => `${one.topic}-${partition}`)).sort()
    return { owned, read, moves: () => 0, stop, kill: stop }
  }
}

const PIPES: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore']

interface Line {
  readonly assigned?: readonly string[]
  readonly revoked?: readonly string[]
  readonly lost?: readonly string[]
  readonly read?: string
}

function memberOf(child: ChildProcess): Member {
  const owned = new Set<string>()
  const read: string[] = []
  let moves = 0
  const exited = once(child, 'exit')
  createInterface({ input: child.stdout! }).on('line', text => {
    const line = JSON.parse(text) as Line
    if (line.read !== undefined) read.push(line.read)
    const gone = line.revoked ?? line.lost ?? []
    if (gone.length > 0 || (line.assigned?.length ?? 0) > 0) moves++
    for (const partition of gone) owned.delete(partition)
    for (const partition of line.assigned ?? []) owned.add(partition)
  })
  return {
    owned: () => [...owned].sort(),
    read,
    moves: () => moves,
    async stop() {
      child.stdin!.end()
      await exited
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    }
  }
}
