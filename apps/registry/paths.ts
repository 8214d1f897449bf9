/**
 * What a URL means before any route sees it: `/contexts/{context}/…` becomes the qualified names that stand for it, names take their
 * one form, and an alias becomes the subject that it leads to. A URL of which nothing of that is true comes back as it was.
 */
import { AssayError, isAssayError } from '@assay/errors'
import { ALL_CONTEXTS, normalizedName, prefixOf, type Registry, readContext } from '@assay/registry'

/** Where the name of a subject stands in a path. */
interface Place {
  /** What stands in front of the name. */
  readonly path: string
  /** The settings of an alias are its own: only what is about schemas goes where it leads. */
  readonly followsAlias: boolean
  /** Settings without a subject are those of the context. */
  readonly meansContext: boolean
}

const PLACES: readonly Place[] = [
  { path: '/subjects/', followsAlias: true, meansContext: false },
  { path: '/compatibility/subjects/', followsAlias: true, meansContext: false },
  { path: '/config/', followsAlias: false, meansContext: true },
  { path: '/mode/', followsAlias: false, meansContext: true }
]

const CONTEXTS = '/contexts/'
const BY_ID = '/schemas/ids/'

type Names = Pick<Registry, 'aliased'>

/** The URL that the routes are to read; one with a context that cannot be stays as it is, and no route takes it. */
export function rewritePath(url: string, names: Names): string {
  const plain = url.startsWith(CONTEXTS) ? withoutContext(url) : url
  const place = PLACES.find(({ path }) => plain.startsWith(path))
  if (place) return withNameInForm(plain, place, names)
  return plain.startsWith(BY_ID) && plain.includes('subject=', BY_ID.length) ? withSubjectInForm(plain, names) : plain
}

/** A context as clients write it, `sales`, `.sales` or `:.sales:`, in the form `.sales`. Fails with INVALID_REQUEST_BODY, which is a 400. */
export function contextNamed(text: string): string {
  try {
    return readContext(text)
  } catch (error) {
    if (!isAssayError(error)) throw error
    const reason = `Context name '${text.slice(0, 100)}' cannot contain a colon`
    throw new AssayError('INVALID_REQUEST_BODY', { reason }, { cause: error })
  }
}

/** Why no route takes a URL behind `/contexts/{context}`, or undefined when that is not because of the context. */
export function contextFault(url: string): AssayError | undefined {
  const context = url.startsWith(CONTEXTS) ? decoded(splitUrl(url).path.split('/')[2] ?? '') : undefined
  if (context === undefined) return undefined
  try {
    contextNamed(context)
    return undefined
  } catch (error) {
    if (isAssayError(error)) return error
    throw error
  }
}

function withNameInForm(url: string, { path, followsAlias, meansContext }: Place, names: Names): string {
  const end = endOfSegment(url, path.length)
  const name = decoded(url.slice(path.length, end))
  if (name === undefined || name === '') return url
  const normal = normalizedName(name)
  // The default context alone is no subject, but it has settings.
  if (normal === '') return meansContext ? path.slice(0, -1) + url.slice(end) : url
  const meant = followsAlias ? names.aliased(normal) : normal
  return meant === name ? url : path + encodeURIComponent(meant) + url.slice(end)
}

function withSubjectInForm(url: string, names: Names): string {
  const { path, query } = splitUrl(url)
  const parameters = new URLSearchParams(query)
  const subject = parameters.get('subject')
  if (subject === null || subject === '') return url
  const normal = normalizedName(subject)
  const meant = normal === '' ? '' : names.aliased(normal)
  if (meant === subject) return url
  parameters.set('subject', meant)
  return `${path}?${parameters}`
}

/** `/contexts/{context}/…` as the same request without it; the context alone, and one that cannot be, stays. */
function withoutContext(url: string): string {
  const { path, query } = splitUrl(url)
  const [, , text = '', ...segments] = path.split('/')
  const rest = `/${segments.join('/')}`.replace(/\/+$/, '')
  const context = decoded(text)
  if (rest === '' || context === undefined || contextFault(url)) return url
  const prefix = prefixOf(readContext(context))
  return joinUrl(qualifiedPath(rest, prefix), qualifiedQuery(rest, query, prefix))
}

function qualifiedPath(path: string, prefix: string): string {
  if (prefix === '') return path
  const place = PLACES.find(place => `${path}/`.startsWith(place.path))
  if (place === undefined) return path
  const start = place.path.length
  if (path.length < start) return place.meansContext ? place.path + encodeURIComponent(prefix) : path
  const end = endOfSegment(path, start)
  const segment = path.slice(start, end)
  return hasContext(decoded(segment) ?? '') ? path : place.path + encodeURIComponent(prefix) + segment + path.slice(end)
}

function qualifiedQuery(path: string, query: string, prefix: string): string {
  const parameters = new URLSearchParams(query)
  if (path.startsWith(BY_ID)) {
    const subject = parameters.get('subject') ?? ''
    if (prefix === '' || hasContext(subject)) return query
    parameters.set('subject', prefix + subject)
    return parameters.toString()
  }
  if (path !== '/schemas' && path !== '/subjects') return query
  const wanted = parameters.get('subjectPrefix') ?? ''
  parameters.set('subjectPrefix', hasContext(wanted) ? wanted : prefix + wanted)
  return parameters.toString()
}

const hasContext = (name: string): boolean => name.startsWith(':.') || name.startsWith(ALL_CONTEXTS)

/** Where the segment ends that begins here: at a slash, at the query, or with the URL. */
function endOfSegment(url: string, start: number): number {
  for (let at = start; at < url.length; at++) {
    const char = url.charCodeAt(at)
    if (char === 0x2f || char === 0x3f) return at
  }
  return url.length
}

function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const mark = url.indexOf('?')
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

const joinUrl = (path: string, query: string): string => (query === '' ? path : `${path}?${query}`)

/** Undefined for percent signs that stand for nothing: the router says so. */
function decoded(segment: string): string | undefined {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
