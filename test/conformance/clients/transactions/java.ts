/** Java's clients, which work by the second transaction protocol where the broker offers it (KIP-890). */
import { join } from 'node:path'
import { apacheKafkaJars } from '../../../peers/apache-kafka.ts'
import { javaOf } from '../../../peers/java.ts'
import { commanded } from './commanded.ts'
import type { TransactionDriver } from './driver.ts'

const JAVA_VERSION_MIN = 17

export const java: TransactionDriver = {
  name: 'Java',
  passesOverAborted: true,
  fences: true,
  async prepare() {
    if (javaOf(JAVA_VERSION_MIN) === undefined) return `there is no Java ${JAVA_VERSION_MIN}`
    const jars = apacheKafkaJars()
    return 'missing' in jars ? jars.missing : undefined
  },
  async open(kafka) {
    const jars = apacheKafkaJars()
    if ('missing' in jars) throw new Error(jars.missing)
    const program = join(import.meta.dirname, 'JavaTransactions.java')
    return commanded(javaOf(JAVA_VERSION_MIN)!, ['-cp', join(jars.directory, '*'), program, kafka])
  }
}
