/** @kafkajs/confluent-schema-registry, which the project itself has as a development dependency. */
import { join } from 'node:path'
import type { Client } from './scenario.ts'

export const kafkajs: Client = {
  name: '@kafkajs/confluent-schema-registry',
  lacks: {
    'reads by GUID': 'GUIDs',
    'is told what is compatible and what is not': 'compatibility checks',
    'sets, reads and deletes modes, and imports an ID': 'modes',
    'lists subjects and versions, deleted ones too': 'lists',
    'deletes softly, then hard': 'deletes',
    'keeps metadata and rules, and finds by metadata': 'metadata and rules'
  },
  prepare: async () => ({
    file: process.execPath,
    args: ['--conditions=source', join(import.meta.dirname, 'kafkajs-script.ts')]
  })
}
