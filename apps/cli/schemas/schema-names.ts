/** Which named types a schema text defines, and which it uses without defining them. */
import { fullNameOf, isJsonArray, isJsonObject, JsonError, jsonLimits, parseJson, schemaLimits } from '@assay/avro'

export interface SchemaNames {
  /** Full name of the type that the text is; undefined for a union, a primitive or a text that is no schema. */
  readonly root: string | undefined
  readonly defined: ReadonlySet<string>
  /** Each with the names that it may stand for, the one in the enclosing namespace first. */
  readonly open: readonly (readonly string[])[]
}

type Json = ReturnType<typeof parseJson>

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
const none: SchemaNames = { root: undefined, defined: new Set(), open: [] }

/** A text that is not JSON has no names: whoever registers it is told what is wrong with it. */
export function namesOf(text: string): SchemaNames {
  let json: Json
  try {
    json = parseJson(text, { bytesMax: schemaLimits.textBytesMax, depthMax: jsonLimits.depthMax })
  } catch (error) {
    if (error instanceof JsonError) return none
    throw error
  }
  const defined = new Set<string>()
  const used: (readonly string[])[] = []
  const walk = (type: Json | undefined, namespace: string): void => {
    if (typeof type === 'string') {
      if (!primitives.has(type)) used.push([...new Set([fullNameOf(type, namespace), type])])
    } else if (isJsonArray(type)) for (const branch of type) walk(branch, namespace)
    else if (isJsonObject(type)) walkObject(type, namespace)
  }
  const walkObject = (type: ReadonlyMap<string, Json>, namespace: string): void => {
    switch (type.get('type')) {
      case 'record':
      case 'error':
      case 'enum':
      case 'fixed': {
        const name = nameOf(type, namespace)
        if (name === undefined) return
        defined.add(name)
        const fields = type.get('fields')
        for (const field of isJsonArray(fields) ? fields : []) if (isJsonObject(field)) walk(field.get('type'), namespaceIn(name))
        break
      }
      case 'array':
        walk(type.get('items'), namespace)
        break
      case 'map':
        walk(type.get('values'), namespace)
        break
      default:
        walk(type.get('type'), namespace)
    }
  }
  walk(json, '')
  const open = new Map(used.filter(names => !names.some(name => defined.has(name))).map(names => [names[0], names]))
  return { root: isJsonObject(json) ? nameOf(json, '') : undefined, defined, open: [...open.values()] }
}

function nameOf(type: ReadonlyMap<string, Json>, enclosing: string): string | undefined {
  const [name, namespace] = [type.get('name'), type.get('namespace')]
  if (typeof name !== 'string') return undefined
  return fullNameOf(name, typeof namespace === 'string' ? namespace : enclosing)
}

const namespaceIn = (fullName: string): string => fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')))
