/** Python confluent-kafka's schema_registry, in the virtual environment of the Kafka scenarios. */
import { join } from 'node:path'
import { pythonEnvironment } from '../../clients/python-environment.ts'
import type { Client } from './scenario.ts'

export const python: Client = {
  name: 'Python confluent-kafka',
  lacks: {},
  async prepare() {
    const environment = pythonEnvironment()
    if ('missing' in environment) return environment
    return { file: environment.python, args: ['-W', 'ignore', join(import.meta.dirname, 'script.py')] }
  }
}
