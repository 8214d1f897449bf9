/** How people name a registered schema: by its ID, or by subject and version, `orders-value@3`. */
import type { VersionNumber } from '@assay/client'
import { AssayError } from '@assay/errors'

export interface VersionRef {
  readonly subject: string
  readonly version: VersionNumber
}

export type SchemaRef = { readonly schemaId: number } | VersionRef

/** A number is an ID; anything else a subject, its latest version when none is named. */
export function schemaRefOf(text: string): SchemaRef {
  if (/^\d{1,10}$/.test(text)) return { schemaId: Number(text) }
  return { version: 'latest', ...splitRef(text) }
}

/** Fails with INVALID_ARGUMENT where a version must be named and is not. */
export function versionRefOf(text: string): VersionRef {
  const ref = splitRef(text)
  if (ref.version !== undefined) return { subject: ref.subject, version: ref.version }
  throw new AssayError('INVALID_ARGUMENT', { reason: `${text}: name the version, as in ${text}@1 or ${text}@latest` })
}

export const printRef = ({ subject, version }: VersionRef): string => `${subject}@${version}`

/** A subject may hold an @ of its own: only a version behind the last one counts. */
function splitRef(text: string): { readonly subject: string; readonly version?: VersionNumber } {
  const match = /^(.+)@(latest|[1-9]\d{0,9})$/s.exec(text)
  if (!match) return { subject: text }
  const [, subject, version] = match as unknown as [string, string, string]
  return { subject, version: version === 'latest' ? version : Number(version) }
}

/** `sales`, `.sales` and `:.sales:` as what the names of that context begin with; nothing for the default context. Fails with INVALID_ARGUMENT. */
export function contextPrefix(name: string | undefined): string {
  const bare = (name ?? '').replace(/^:/, '').replace(/:$/, '').replace(/^\./, '')
  if (bare.includes(':'))
    throw new AssayError('INVALID_ARGUMENT', { reason: `--context ${name}: a context has no colon in its name` })
  return bare === '' ? '' : `:.${bare}:`
}

/** What a subject's name begins with: `:.sales:`, or nothing in the default context. */
export const contextOf = (subject: string): string => /^:\.[^:]*:/.exec(subject)?.[0] ?? ''
