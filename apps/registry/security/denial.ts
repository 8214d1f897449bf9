/** What is said to a caller who may not: who, what, on which resource, and which ACL would let him. */
import { AssayError } from '@assay/errors'
import { type Operation, REGISTRY, type Resource, type Rights } from '@assay/security'

export function deniedTo(principal: string, operation: Operation, resource: Resource, rights: Rights): AssayError {
  const reason =
    rights.verdict(operation, resource.type, resource.name) === 'denied'
      ? `an ACL denies it; see: assay acl list --principal ${quoted(principal)}`
      : `no ACL allows it; one that does: assay acl add ${quoted(principal)} ${operation} ${argumentsOf(resource)}`
  return new AssayError('ACCESS_DENIED', { principal, operation, resource: wordsOf(resource), reason })
}

/** Subjects that he may not read are not named to him. */
export function deniedSchema(principal: string, operation: Operation, label: string): AssayError {
  const acl = `assay acl add ${quoted(principal)} ${operation} subject SUBJECT`
  const reason = `no ACL allows it for any subject that holds the schema; one that does, for one of them: ${acl}`
  return new AssayError('ACCESS_DENIED', { principal, operation, resource: label, reason })
}

const wordsOf = ({ type, name }: Resource): string =>
  type === REGISTRY.type ? 'the registry' : `${type} '${name.slice(0, 1000)}'`

const argumentsOf = ({ type, name }: Resource): string =>
  type === REGISTRY.type ? type : `${type} ${quoted(name.slice(0, 1000))}`

/** As a shell takes it. */
const quoted = (text: string): string => (/^[\w.:/=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
