/** The description of the API as OpenAPI 3.1, printed from the routes themselves: it cannot say what they do not do. */
import { type ErrorName, type ErrorRow, table } from '@assay/errors'
import type { TObject, TSchema } from 'typebox'
import { EVENT_STREAM, JSON_TYPES } from './negotiate.ts'
import { type DeclaredRoute, openPath, takesBody } from './route.ts'

const ERROR = {
  type: 'object',
  required: ['error_code', 'message'],
  properties: { error_code: { type: 'integer' }, message: { type: 'string' } }
}
const ERROR_REFERENCE = { $ref: '#/components/schemas/Error' }

/**
 * The document as text, with two spaces and a line end. Routes are printed in the order of the list.
 * A schema with a title is printed once, among the components, and referred to by its title.
 */
export function renderOpenApi(routes: readonly DeclaredRoute[]): string {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = openPath(route.path)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  const schemas = new Map<string, unknown>([['Error', ERROR]])
  const hoisted = hoist(paths, schemas)
  const document = {
    openapi: '3.1.0',
    info: { title: 'Assay', version: '1', description: "The schema registry: Confluent's REST API, and Assay's own." },
    paths: hoisted,
    // Nothing is asked where security is off.
    security: [{}, { basic: [] }, { bearer: [] }, { certificate: [] }],
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        certificate: { type: 'mutualTLS' }
      },
      responses: { Failure: { description: 'Any other failure.', content: jsonContent(ERROR_REFERENCE) } },
      schemas: Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1)))
    }
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** The value with titled schemas replaced by references; the schemas go into `found`. */
function hoist(value: unknown, found: Map<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map(item => hoist(item, found))
  if (typeof value !== 'object' || value === null) return value
  const hoisted = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hoist(item, found)]))
  const { title } = hoisted
  if (typeof title !== 'string') return hoisted
  found.set(title, hoisted)
  return { $ref: `#/components/schemas/${title}` }
}

function operation(route: DeclaredRoute): object {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')]
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[/:.]+(\w?)/g, (_all, letter: string) => letter.toUpperCase())}`,
    summary: route.says,
    ...(parameters.length > 0 && { parameters }),
    ...(takesBody(route) && { requestBody: { required: true, content: jsonContent(route.body) } }),
    responses: { ...success(route), ...failures(route.errors) }
  }
}

function parametersOf(schema: TObject, place: 'path' | 'query'): object[] {
  return Object.entries(schema.properties as Record<string, TSchema & { description?: string }>).map(([name, property]) => {
    const { description, ...rest } = property
    return { name, in: place, required: place === 'path', ...(description && { description }), schema: rest }
  })
}

function success(route: DeclaredRoute): Record<string, object> {
  return route.sends === 'nothing'
    ? { 204: { description: 'Done.' } }
    : { 200: { description: 'Done.', content: contentOf(route) } }
}

function contentOf({ reply, sends, streams }: DeclaredRoute): object {
  if (sends === undefined)
    return { ...jsonContent(reply), ...(streams !== undefined && { [EVENT_STREAM]: { schema: { type: 'string' } } }) }
  return sends === 'json text' || sends === 'nothing' ? jsonContent({}) : { [sends.mediaType]: { schema: reply } }
}

/** The third type, without a version, is an alias that nobody needs to generate code for. */
const PRINTED_TYPES = [JSON_TYPES[0], JSON_TYPES[2]]
const jsonContent = (schema: object): object => Object.fromEntries(PRINTED_TYPES.map(type => [type, { schema }]))

/** One response per status, with the codes that it may carry. */
function failures(names: readonly ErrorName[]): Record<string, object> {
  const byStatus = new Map<number, string[]>()
  for (const name of names) {
    const row: ErrorRow = table[name]
    const status = row.http ?? 500
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${row.registry ?? 500} ${name}`])
  }
  const statuses = [...byStatus].sort(([a], [b]) => a - b)
  const response = (codes: string[]) => ({ description: `${codes.join(', ')}.`, content: jsonContent(ERROR_REFERENCE) })
  return {
    ...Object.fromEntries(statuses.map(([status, codes]) => [status, response(codes)])),
    default: { $ref: '#/components/responses/Failure' }
  }
}
