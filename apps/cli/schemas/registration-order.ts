/** Schema files in the order in which they can be registered: what a file refers to comes before it. */
import { existsSync, globSync, statSync } from 'node:fs'
import { join, normalize, resolve } from 'node:path'
import { topicPartOf } from '@assay/codegen'
import { AssayError } from '@assay/errors'
import { readSchemaFile, type SchemaFile } from './schema-folder.ts'
import { namesOf, type SchemaNames } from './schema-names.ts'

/** A file that another one needs, and the type that it is needed for. */
export interface Use {
  readonly name: string
  readonly file: Registrable
}

export interface Registrable extends SchemaFile {
  readonly uses: readonly Use[]
}

interface Known {
  readonly file: SchemaFile
  readonly names: SchemaNames
}

/** What is sought together, before the next tier is. */
type Tier = readonly Known[]

/**
 * The files given, and before each the files below the folders that define what it uses, sought in the other files and in the paths that
 * were named first, in the schemas folder after that: they are registered under the subject that their path tells, else under the full
 * name of their type. Fails with INVALID_ARGUMENT for a type defined twice, and for a circle.
 */
export function inRegistrationOrder(
  files: readonly SchemaFile[],
  { paths, schemas }: { readonly paths: readonly string[]; readonly schemas: string }
): Registrable[] {
  const given = files.map(file => ({ file, names: namesOf(file.text) }))
  const tiers: readonly Tier[] = [[...given, ...libraryOf(paths, files)], libraryOf([schemas], files)]
  const ordered = new Map<Known, Registrable>()
  const under: Known[] = []
  const visit = (one: Known): Registrable => {
    const before = ordered.get(one)
    if (before) return before
    if (under.includes(one)) throw circle([...under.slice(under.indexOf(one)), one])
    under.push(one)
    const uses = usesOf(one, tiers).map(({ name, one: used }) => ({ name, file: visit(used) }))
    under.pop()
    const registrable = { ...one.file, uses }
    ordered.set(one, registrable)
    return registrable
  }
  for (const one of given) visit(one)
  return [...ordered.values()]
}

/** Other schema files below the folders: registered only when one of the files given needs them. */
function libraryOf(folders: readonly string[], files: readonly SchemaFile[]): Known[] {
  const given = new Set(files.map(({ file }) => resolve(file)))
  const paths = folders
    .filter(folder => existsSync(folder) && statSync(folder).isDirectory())
    .flatMap(folder => globSync('**/*.avsc', { cwd: folder }).map(path => normalize(join(folder, path))))
  const others = new Map(paths.filter(path => !given.has(resolve(path))).map(path => [resolve(path), path]))
  return [...others.values()].sort().flatMap(path => {
    const { text } = readSchemaFile(path, '')
    const names = namesOf(text)
    const subject = topicPartOf(resolve(path))?.subject ?? names.root
    return subject === undefined ? [] : [{ file: { file: path, subject, text }, names }]
  })
}

/** One reference for each file that is needed: its other types come with it. */
function usesOf({ file, names }: Known, tiers: readonly Tier[]): { readonly name: string; readonly one: Known }[] {
  const uses = new Map<Known, string>()
  for (const candidates of names.open) {
    for (const name of candidates) {
      const one = sought(name, file, tiers)
      if (!one) continue
      if (!uses.has(one)) uses.set(one, one.names.root ?? name)
      break
    }
  }
  return [...uses].map(([one, name]) => ({ name, one }))
}

function sought(name: string, user: SchemaFile, tiers: readonly Tier[]): Known | undefined {
  for (const tier of tiers) {
    const one = definitionOf(name, user, tier)
    if (one) return one
  }
  return undefined
}

/** The file that is this type, else the only one that defines it somewhere inside. */
function definitionOf(name: string, user: SchemaFile, tier: Tier): Known | undefined {
  const defining = tier.filter(({ file, names }) => file !== user && names.defined.has(name))
  const whole = defining.filter(({ names }) => names.root === name)
  const [one, another] = whole.length > 0 ? whole : defining
  if (one && another) {
    throw new AssayError('INVALID_ARGUMENT', {
      reason: `${user.file} uses ${name}, which both ${one.file.file} and ${another.file.file} define; leave it in one of them`
    })
  }
  return one
}

function circle(files: readonly Known[]): AssayError {
  return new AssayError('INVALID_ARGUMENT', {
    reason: `these files refer to each other in a circle, so that none can be registered first: ${files.map(({ file }) => file.file).join(' -> ')}; put their types into one file`
  })
}
