/**
 * Names of subjects with their contexts, `:.context:subject`. A context has schema IDs of its own; a plain name stands in the default
 * context, `.`. Inside the registry every name is in one form: the default context is never written.
 */
import { AssayError } from '@assay/errors'

export const DEFAULT_CONTEXT = '.'
/** Its settings and mode are in force wherever a context has none. */
export const GLOBAL_CONTEXT = '.__GLOBAL'
/** In front of a prefix: every context. */
export const ALL_CONTEXTS = ':*:'

export interface QualifiedName {
  /** With its leading dot. */
  readonly context: string
  /** Empty for the context itself. */
  readonly subject: string
}

/** Reads `subject`, `:.context:subject`, `:.context:` and `:.context`. */
export function readQualified(name: string): QualifiedName {
  if (!name.startsWith(':.')) return { context: DEFAULT_CONTEXT, subject: name }
  const end = name.indexOf(':', 2)
  return end < 0 ? { context: name.slice(1), subject: '' } : { context: name.slice(1, end), subject: name.slice(end + 1) }
}

/** The context of a name; the default one for a plain name and for null, which stands for the whole registry. */
export const contextOf = (name: string | null): string => (name?.startsWith(':.') ? readQualified(name).context : DEFAULT_CONTEXT)

/** What the names of a context begin with: nothing in the default one. */
export const prefixOf = (context: string): string => (context === DEFAULT_CONTEXT ? '' : `:${context}:`)

/** The one form of a name: `:.:orders` and `orders` are the same subject, `:.sales` and `:.sales:` the same context. */
export function normalizedName(name: string): string {
  if (!name.startsWith(':.')) return name
  const { context, subject } = readQualified(name)
  // What stands in the default context may begin like a context itself.
  return context === DEFAULT_CONTEXT ? normalizedName(subject) : prefixOf(context) + subject
}

/** A name as it is meant where `parent` uses it: a plain one stands in the context of its parent. */
export function nameWithin(parent: string, name: string): string {
  if (contextOf(name) !== DEFAULT_CONTEXT) return normalizedName(name)
  const { context } = readQualified(parent)
  return context === DEFAULT_CONTEXT ? normalizedName(name) : prefixOf(context) + readQualified(name).subject
}

/** Where settings and modes are looked for, in this order: the subject, its context (null is the default one), and the context for all. */
export function scopesOf(subject: string | null): (string | null)[] {
  const context = prefixOf(contextOf(subject)) || null
  return [...new Set([subject, context, prefixOf(GLOBAL_CONTEXT)])]
}

/** A context as clients write it, `sales`, `.sales` or `:.sales:`, in the form `.sales`. Fails with INVALID_SUBJECT. */
export function readContext(text: string): string {
  const bare = text.replace(/^:/, '').replace(/:$/, '')
  const context = bare.startsWith('.') ? bare : `.${bare}`
  if (context.includes(':')) throw invalid(text, 'the name of a context cannot hold a colon')
  return context
}

/** Which names a `subjectPrefix` means: `:*:` stands for every context, `:.sal` for every context that begins so. */
export function prefixFilter(prefix: string): (name: string) => boolean {
  if (prefix.startsWith(ALL_CONTEXTS)) {
    const rest = prefix.slice(ALL_CONTEXTS.length)
    return rest === '' ? () => true : name => readQualified(name).subject.startsWith(rest)
  }
  if (prefix.startsWith(':.') && !prefix.includes(':', 2)) {
    const begin = prefix.slice(1)
    return name => contextOf(name).startsWith(begin)
  }
  const { context, subject } = readQualified(prefix)
  const begin = prefixOf(context) + subject
  return context === DEFAULT_CONTEXT ? name => name.startsWith(begin) && !name.startsWith(':.') : name => name.startsWith(begin)
}

/** Fails with INVALID_SUBJECT. A context may stand alone only where settings are meant. */
export function checkName(
  name: string,
  { subjectCharsMax }: { readonly subjectCharsMax: number },
  { contextAlone }: { readonly contextAlone: boolean } = { contextAlone: false }
): void {
  const { context, subject } = readQualified(name)
  if (name.length > subjectCharsMax) throw invalid(name, `it is longer than ${subjectCharsMax} characters`)
  if (/\p{Cc}/u.test(name)) throw invalid(name, 'it holds a control character')
  if (!name.isWellFormed()) throw invalid(name, 'it holds half a surrogate pair')
  if (name.startsWith(ALL_CONTEXTS)) throw invalid(name, 'a context is named, not a pattern')
  if (subject === '__GLOBAL' || subject === '__EMPTY') throw invalid(name, 'the name is reserved')
  if (contextAlone) return
  if (context === GLOBAL_CONTEXT) throw invalid(name, 'the context is reserved for settings')
  if (subject === '') throw invalid(name, 'it is empty')
}

const invalid = (subject: string, reason: string): AssayError =>
  new AssayError('INVALID_SUBJECT', { subject: subject.slice(0, 100), reason })
