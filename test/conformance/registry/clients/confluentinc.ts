/** @confluentinc/schemaregistry, Confluent's own client for JavaScript. */
import { join } from 'node:path'
import { npmPackage } from './npm-package.ts'
import type { Client } from './scenario.ts'

const folder = join(import.meta.dirname, 'confluentinc')

export const confluentinc: Client = {
  name: '@confluentinc/schemaregistry',
  lacks: { 'sets, reads and deletes modes, and imports an ID': 'modes' },
  async prepare() {
    const installed = npmPackage('confluentinc', folder)
    if ('missing' in installed) return installed
    // Without the condition `source`, under which one of its dependencies would be taken as TypeScript.
    return { file: process.execPath, args: [join(folder, 'script.ts'), installed.folder] }
  }
}
