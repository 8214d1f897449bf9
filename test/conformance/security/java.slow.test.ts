/** Java's own clients over TLS with PLAIN and SCRAM: what an operator makes is in force for a shop, and refusals are the exceptions that Java has for them. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apacheKafkaJars } from '../../peers/apache-kafka.ts'
import { javaOf } from '../../peers/java.ts'
import { passwordOf, securedServer } from './secured-server.ts'

test('admin, producer and consumer of Java', { timeout: 180_000 }, async context => {
  const java = javaOf(17)
  if (java === undefined) return context.skip('there is no Java 17')
  const jars = apacheKafkaJars()
  if ('missing' in jars) return context.skip(jars.missing)
  const secured = await securedServer({ users: ['anna', 'shop'], superUsers: ['anna'], tls: 'none' })
  try {
    const who = ['anna', passwordOf('anna'), 'shop', passwordOf('shop')]
    const source = join(import.meta.dirname, 'JavaSecured.java')
    const child = spawn(java, ['-cp', join(jars.directory, '*'), source, secured.server.kafka, secured.files.ca, ...who], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err = (err + text).slice(-8192)
    })
    await new Promise(resolve => child.once('close', resolve))
    // What its logger says begins with the time.
    const said = out
      .trim()
      .split('\n')
      .filter(line => !/^\d{4}-/.test(line))
    expect(said, err).toEqual([
      'acls 3',
      'scram [ScramCredentialInfo{mechanism=SCRAM_SHA_256, iterations=8192}]',
      'quotas [{producer_byte_rate=1000000.0}]',
      'operations [CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE]',
      'topic operations [READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS]',
      'other TopicAuthorizationException',
      'read [PLAIN]',
      'other TopicAuthorizationException',
      'read [PLAIN, SCRAM-SHA-256]',
      'other TopicAuthorizationException',
      'read [PLAIN, SCRAM-SHA-256, SCRAM-SHA-512]',
      'made sees []',
      'made ClusterAuthorizationException',
      'guess SaslAuthenticationException Authentication failed with SASL mechanism SCRAM-SHA-512: Not authenticated: wrong name or password'
    ])
  } finally {
    await secured.close()
  }
})
