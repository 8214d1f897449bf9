/**
 * Finds the version by which a caller may read a schema. A simple schema can be held by thousands of subjects of which one is his, so
 * the one that was found is remembered for as long as his rights are the same.
 */
import type { RegisteredSchema, Version } from '@assay/registry'
import type { Operation, Rights } from '@assay/security'

const found = new WeakMap<Rights, WeakMap<RegisteredSchema, Version>>()

/** Undefined when he may do this to none of the subjects that hold the schema. */
export function holderFor(rights: Rights, operation: Operation, schema: RegisteredSchema): Version | undefined {
  const isHis = ({ subject }: Version): boolean => rights.may(operation, 'subject', subject)
  let known = found.get(rights)
  const last = known?.get(schema)
  if (last && schema.versions.has(last) && isHis(last)) return last
  for (const version of schema.versions) {
    if (!isHis(version)) continue
    if (known === undefined) {
      known = new WeakMap()
      found.set(rights, known)
    }
    known.set(schema, version)
    return version
  }
  return undefined
}
