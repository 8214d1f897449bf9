/** The page for people at /docs, printed from the routes like openapi.json. It needs no script and loads nothing. */
import { createHash } from 'node:crypto'
import { type ErrorName, type ErrorRow, table } from '@assay/errors'
import { BODY_TYPES, EVENT_STREAM, JSON_TYPES } from './negotiate.ts'
import { type DeclaredRoute, openPath, takesBody } from './route.ts'
import type { Access } from './security/access.ts'

/** The part of JSON Schema that our routes use. */
interface Shape {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly const?: unknown
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly Shape[]
  readonly items?: Shape
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
}

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#ddd, #444); --soft: light-dark(#666, #aaa); --back: light-dark(#f6f6f6, #222) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem 4rem }
h1, h2, h3 { line-height: 1.2 }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line) }
h4 { margin: 1rem 0 .25rem }
article { margin: 2rem 0 }
code, pre { font: .9em/1.4 ui-monospace, monospace }
pre { background: var(--back); padding: .75rem; overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line) }
nav ul { list-style: none; padding: 0; columns: 2 }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700 }
.soft { color: var(--soft) }
`

/** Nothing runs in the page, nothing is loaded or sent; the one style sheet that counts is the page's own. */
export const docsPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** The page as a whole. Routes stand in groups by the first part of their path, in the order of the list. */
export function renderDocs(routes: readonly DeclaredRoute[]): string {
  const groups = Map.groupBy(routes, groupOf)
  const shapes = new Map<string, Shape>()
  for (const { body, reply } of routes) for (const schema of [body, reply]) collectTitled(schema as Shape, shapes)
  const titled = [...shapes].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    '<title>Assay: the HTTP API</title>',
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    '<h1>Assay: the HTTP API</h1>',
    ...introduction(),
    '<nav>',
    ...[...groups].flatMap(([group, members]) => [`<h4>${code(group)}</h4>`, '<ul>', ...members.map(contentsLine), '</ul>']),
    '</nav>',
    ...[...groups].flatMap(([group, members]) => [
      '<section>',
      `<h2>${code(group)}</h2>`,
      ...members.flatMap(article),
      '</section>'
    ]),
    '<section>',
    '<h2>Schemas</h2>',
    ...titled.flatMap(([title, shape]) => [
      `<article id="${idOf(title)}">`,
      `<h3>${escaped(title)}</h3>`,
      ...fieldTable(shape),
      '</article>'
    ]),
    '</section>',
    '</body>',
    '</html>',
    ''
  ].join('\n')
}

function introduction(): string[] {
  return [
    `<p>The REST API of Confluent's Schema Registry, and what Assay adds to it. The same for programs: <a href="/openapi.json">openapi.json</a>.</p>`,
    `<p>Answers are JSON, as ${listOf(JSON_TYPES)}: whichever the header ${code('Accept')} prefers. Bodies are read as ${listOf(BODY_TYPES)}.</p>`,
    `<p>Every failure is answered as ${code('{"error_code":40401,"message":"…"}')}.</p>`,
    `<p>A subject may stand in a context, ${code(':.context:subject')}. The same is meant behind ${code('/contexts/{context}')}: ` +
      `${code('/contexts/sales/subjects/orders/versions')} is ${code('/subjects/:.sales:orders/versions')}.</p>`
  ]
}

const groupOf = ({ path }: DeclaredRoute): string => `/${path.split('/')[1] ?? ''}`

const contentsLine = (route: DeclaredRoute): string =>
  `<li><a href="#${idOf(nameOf(route))}"><span class="method">${route.method}</span> ${code(openPath(route.path))}</a></li>`

function article(route: DeclaredRoute): string[] {
  const parameters = [
    ...Object.entries(propertiesOf(route.params)).map(([name, shape]) => parameterRow(name, 'path', shape)),
    ...Object.entries(propertiesOf(route.query)).map(([name, shape]) => parameterRow(name, 'query', shape))
  ]
  return [
    `<article id="${idOf(nameOf(route))}">`,
    `<h3><span class="method">${route.method}</span> ${code(openPath(route.path))}</h3>`,
    `<p>${prose(route.says)} <span class="soft">${ACCESS[route.access] ?? `Needs the permission ${code(route.access)}.`}</span></p>`,
    ...(parameters.length > 0
      ? ['<h4>Parameters</h4>', ...tableOf(['Name', 'In', 'Type', 'Default', 'Meaning'], parameters)]
      : []),
    ...(takesBody(route) ? ['<h4>Body</h4>', ...shapeOf(route.body as Shape)] : []),
    '<h4>Answer</h4>',
    ...answerOf(route),
    ...(route.errors.length > 0
      ? ['<h4>Failures</h4>', ...tableOf(['Status', 'error_code', 'Message'], route.errors.map(failureRow))]
      : []),
    `<pre>${escaped(curlOf(route))}</pre>`,
    '</article>'
  ]
}

const ACCESS: Readonly<Partial<Record<Access, string>>> = {
  open: 'For everybody.',
  listed: 'For every known caller; shows only what the caller may read.'
}

function parameterRow(name: string, place: string, { default: absent, ...shape }: Shape): string[] {
  const shown = absent === undefined || absent === '' || Array.isArray(absent) ? '' : code(String(absent))
  return [code(name), place, typeText(shape), shown, prose(shape.description ?? '')]
}

function failureRow(name: ErrorName): string[] {
  const { http = 500, registry = 500, says }: ErrorRow = table[name]
  return [String(http), String(registry), escaped(says)]
}

function answerOf({ reply, sends, streams }: DeclaredRoute): string[] {
  if (sends === 'nothing') return ['<p>Nothing: the status is 204.</p>']
  if (typeof sends === 'object') return [`<p>${code(sends.mediaType)}</p>`]
  if (sends === 'json text') return ['<p>The JSON itself.</p>']
  return [...shapeOf(reply as Shape), ...(streams ? [`<p>Or as ${code(EVENT_STREAM)}, without end.</p>`] : [])]
}

/** The fields of an object; of anything else its type. */
const shapeOf = (shape: Shape): string[] =>
  shape.properties && shape.title === undefined && Object.keys(shape.properties).length > 0
    ? fieldTable(shape)
    : [`<p>${typeText(shape)}</p>`]

function fieldTable(shape: Shape): string[] {
  const rows = Object.entries(shape.properties ?? {}).map(([name, field]) => [
    code(name),
    typeText(field) + (shape.required?.includes(name) ? '' : ' <span class="soft">optional</span>'),
    prose(field.description ?? '')
  ])
  return [...(shape.description ? [`<p>${prose(shape.description)}</p>`] : []), ...tableOf(['Field', 'Type', 'Meaning'], rows)]
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [
    '<table>',
    `<tr>${head.map(text => `<th>${text}</th>`).join('')}</tr>`,
    ...rows.map(row => `<tr>${row.map(cell => `<td>${cell}</td>`).join('')}</tr>`),
    '</table>'
  ]
}

function typeText(shape: Shape): string {
  const { title, type, anyOf, items, properties, patternProperties } = shape
  if (title) return `<a href="#${idOf(title)}">${escaped(title)}</a>`
  if (shape.const !== undefined) return code(JSON.stringify(shape.const))
  if (anyOf) return anyOf.map(typeText).join(' or ')
  if (items) return `list of ${typeText(items)}`
  if (properties && Object.keys(properties).length > 0) {
    return `{ ${Object.entries(properties)
      .map(([name, field]) => `${code(name)}: ${typeText(field)}`)
      .join(', ')} }`
  }
  const values = Object.values(patternProperties ?? {})[0]
  if (values) return `map of text to ${typeText(values)}`
  return escaped({ string: 'text', object: 'object', integer: 'integer' }[type ?? ''] ?? type ?? 'any JSON')
}

/** Every schema with a title goes into `found`, also those that stand inside others. */
function collectTitled(shape: Shape, found: Map<string, Shape>): void {
  if (shape.title !== undefined) {
    if (found.has(shape.title)) return
    found.set(shape.title, shape)
  }
  const inside = [
    ...Object.values(shape.properties ?? {}),
    ...Object.values(shape.patternProperties ?? {}),
    ...(shape.anyOf ?? []),
    ...(shape.items ? [shape.items] : [])
  ]
  for (const part of inside) collectTitled(part, found)
}

const EXAMPLES: Readonly<Record<string, string>> = {
  subject: 'orders-value',
  version: 'latest',
  id: '1',
  guid: 'ef524ea1-b91e-7317-3d93-8ade36c1db32',
  context: 'sales',
  topic: 'orders'
}

/** A request that can be tried as it stands. */
function curlOf(route: DeclaredRoute): string {
  const path = route.path.replace(/:(\w+)/g, (_all, name: string) => EXAMPLES[name] ?? name)
  const method = route.method === 'GET' ? '' : ` -X ${route.method}`
  const line = `curl${method} 'http://localhost:8081${path}'`
  if (!takesBody(route)) return line
  const [example = {}] = (route.body as Shape).examples ?? []
  return `${line} \\\n  -H 'Content-Type: ${JSON_TYPES[0]}' \\\n  -d '${JSON.stringify(example)}'`
}

const propertiesOf = (schema: unknown): Readonly<Record<string, Shape>> => (schema as Shape).properties ?? {}
const nameOf = ({ method, path }: DeclaredRoute): string => `${method} ${path}`
const idOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-|-$/g, '')
const listOf = (names: readonly string[]): string => names.map(code).join(', ')
const code = (text: string): string => `<code>${escaped(text)}</code>`
/** Text with code in backticks. */
const prose = (text: string): string => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>')

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escaped = (text: string): string => text.replace(/[&<>"']/g, char => ENTITIES[char] as string)
