/** Java's clients look after a topic and go on over a kill and a restart of the server, with the leader epochs that they send. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { apacheKafkaJars } from '../../../peers/apache-kafka.ts'
import { javaOf } from '../../../peers/java.ts'
import { serve } from '../../../served.ts'

const source = join(import.meta.dirname, 'JavaTopics.java')
const range = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `${from + at}v${from + at}`).join(' ')

test('admin, producer and consumer of Java, over a kill of the server', { timeout: 120_000 }, async context => {
  const java = javaOf(17)
  if (java === undefined) return context.skip('there is no Java 17')
  const jars = apacheKafkaJars()
  if ('missing' in jars) return context.skip(jars.missing)
  const first = await serve()
  const child = spawn(java, ['-cp', join(jars.directory, '*'), source, first.kafka, 'java-topics'], {
    stdio: ['pipe', 'pipe', 'pipe']
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-8192)
  })
  let served = first
  const said: string[] = []
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(line)
      if (line !== 'ready') continue
      await first.kill()
      const { directory, kafka, http } = first
      served = await serve({ directory, kafka, http: new URL(http).host })
      child.stdin.write('\n')
    }
  } finally {
    child.kill('SIGKILL')
    await served.stop()
  }
  expect(said, errors).toEqual([
    'configs {compression.type=lz4, retention.ms=-1}',
    'offset 4',
    'offset 10',
    'offset 9',
    'offset 6',
    `read ${range(4, 10)}`,
    'ready',
    `read ${range(10, 20)}`,
    'committed Optional[0]'
  ])
})
