/** Schema files by the convention of folders: `<topic>/value.avsc` and `<topic>/key.avsc`. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { topicPartOf } from '@assay/codegen'
import { AssayError } from '@assay/errors'

export interface SchemaFile {
  /** As the user would type it. */
  readonly file: string
  readonly subject: string
  /** Undefined for a file whose subject was named by the user. */
  readonly topic?: string
  readonly text: string
}

/** The schema files under the paths, each a file, the folder of a topic, or a folder of such folders; by subject. Fails with INVALID_ARGUMENT. */
export function readSchemaFiles(paths: readonly string[]): SchemaFile[] {
  const files = new Set(paths.flatMap(filesOf))
  return [...files].map(readOne).sort((a, b) => (a.subject < b.subject ? -1 : 1))
}

/** One file under a subject that its name does not tell. */
export function readSchemaFile(file: string, subject: string): SchemaFile {
  if (!existsSync(file)) throw new AssayError('INVALID_ARGUMENT', { reason: `${file} is not there` })
  return { file, subject, text: readFileSync(file, 'utf8') }
}

function filesOf(path: string): string[] {
  if (!existsSync(path)) throw new AssayError('INVALID_ARGUMENT', { reason: `${path} is not there` })
  if (!statSync(path).isDirectory()) return [path]
  const found = globSync(['{key,value}.avsc', '*/{key,value}.avsc'], { cwd: path }).map(file => join(path, file))
  if (found.length === 0) {
    throw new AssayError('INVALID_ARGUMENT', { reason: `${path} holds neither <topic>/value.avsc nor <topic>/key.avsc` })
  }
  return found
}

function readOne(file: string): SchemaFile {
  const part = topicPartOf(resolve(file))
  if (!part) {
    throw new AssayError('INVALID_ARGUMENT', {
      reason: `${file}: its name does not tell the subject, as <topic>/value.avsc would; name it with --subject`
    })
  }
  return { ...readSchemaFile(file, part.subject), topic: part.topic }
}
