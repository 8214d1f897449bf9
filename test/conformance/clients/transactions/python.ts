/** Python confluent-kafka (librdkafka), one process for a whole scenario. */
import { join } from 'node:path'
import { pythonEnvironment } from '../python-environment.ts'
import { commanded } from './commanded.ts'
import type { TransactionDriver } from './driver.ts'

export const pythonConfluent: TransactionDriver = {
  name: 'Python confluent-kafka',
  passesOverAborted: true,
  fences: true,
  async prepare() {
    const environment = pythonEnvironment()
    return 'missing' in environment ? environment.missing : undefined
  },
  async open(kafka) {
    const environment = pythonEnvironment()
    if ('missing' in environment) throw new Error(environment.missing)
    return commanded(environment.python, ['-W', 'ignore', join(import.meta.dirname, 'transactions.py'), kafka])
  }
}
