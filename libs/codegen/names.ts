/**
 * Where a named type lives and what it is called there: `shop.orders.Order` is `Order` in `shop/orders/Order.ts`. Names that TypeScript or a
 * file system does not take get an underscore or a number, always the same for the same set of types.
 */
import { namespaceOf, shortName } from '@assay/avro'

export interface Place {
  /** Path from the output folder, with forward slashes. */
  readonly file: string
  /** The identifier under which the file exports the type. */
  readonly name: string
}

/** Keywords, names that types may not have, and globals that generated code uses: declared as types, they would shadow these. */
const taken: ReadonlySet<string> = new Set(
  `abstract accessor any arguments as asserts async await bigint boolean break case catch class const continue debugger declare default delete do
  else enum eval export exports extends false finally for from function get global globalThis if implements import in infer instanceof
  interface intrinsic is keyof let module namespace never new null number object of out override package private protected public readonly
  require return satisfies set static string super switch symbol this throw true try type typeof undefined unique unknown using var void
  while with yield Array Boolean Buffer Date Function Infinity Iterable Map NaN Number Object ReadonlyArray ReadonlyMap Record String
  Temporal Uint8Array avroType AvroType Boxed Decimal Duration Tagged Topic Topics`.split(/\s+/)
)

/** Device names of Windows, in any letter case, and the folder in which Node runs no TypeScript. */
const badFile = /^(?:con|prn|aux|nul|com\d|lpt\d|node_modules)$/i
const nameLengthMax = 100

/** A place for each full name. The order of the names given does not matter. */
export function placesOf(fullNames: Iterable<string>): Map<string, Place> {
  const places = new Map<string, Place>()
  // Letter case does not set files apart everywhere; `topics.ts` is the topic map's.
  const used = new Set<string>(['topics.ts'])
  for (const fullName of [...fullNames].sort()) {
    const folder = namespaceOf(fullName)
      .split('.')
      .filter(part => part !== '')
      .map(fileName)
      .join('/')
    const base = identifier(shortName(fullName))
    for (let count = 1; ; count++) {
      const name = count === 1 ? base : `${base}_${count}`
      const file = folder === '' ? `${name}.ts` : `${folder}/${name}.ts`
      if (used.has(file.toLowerCase())) continue
      used.add(file.toLowerCase())
      places.set(fullName, { file, name })
      break
    }
  }
  return places
}

/** Names local to one file: the first to ask for a name gets it, the next one gets it with a number. */
export function localNames(): (wanted: string) => string {
  const used = new Set<string>()
  return wanted => {
    let name = wanted
    for (let count = 2; used.has(name); count++) name = `${wanted}_${count}`
    used.add(name)
    return name
  }
}

/** Path of an import from one generated file to another. */
export function importPath(from: string, to: string): string {
  const fromFolder = from.split('/').slice(0, -1)
  const target = to.split('/')
  let shared = 0
  while (shared < fromFolder.length && shared < target.length - 1 && fromFolder[shared] === target[shared]) shared++
  const up = fromFolder.length - shared
  return `${up === 0 ? './' : '../'.repeat(up)}${target.slice(shared).join('/')}`
}

function identifier(name: string): string {
  // The schema parser lets only letters, digits and underscores through; generated code does not rest on it.
  const clean = name
    .slice(0, nameLengthMax)
    .replace(/[^\p{L}\p{Nd}_]/gu, '_')
    .replace(/^(?=\p{Nd}|$)/u, '_')
  return taken.has(clean) || badFile.test(clean) ? `${clean}_` : clean
}

function fileName(part: string): string {
  const clean = part.slice(0, nameLengthMax).replace(/[^\p{L}\p{Nd}_]/gu, '_')
  return badFile.test(clean) ? `${clean}_` : clean
}
