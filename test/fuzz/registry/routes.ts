/** The routes of a running server as its /openapi.json tells them, in the few parts that a made-up request needs. */

/** The part of JSON Schema that says which values fit. */
export interface Shape {
  readonly $ref?: string
  readonly type?: string
  readonly anyOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
}

export interface RouteFacts {
  readonly method: string
  /** With `{name}` for a parameter. */
  readonly path: string
  readonly integersInPath: readonly string[]
  readonly integersInQuery: readonly string[]
  /** With every `$ref` put in its place; absent for a route without a body. */
  readonly body?: Shape
}

interface Parameter {
  readonly in: string
  readonly name: string
  readonly schema: Shape
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Shape }>> }
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Shape>> }
}

export async function routesOf(http: string): Promise<RouteFacts[]> {
  const { paths, components } = (await fetch(`${http}/openapi.json`).then(answer => answer.json())) as OpenApi
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { parameters = [], requestBody }]) => {
      const integersIn = (place: string): string[] =>
        parameters.filter(one => one.in === place && one.schema.type === 'integer').map(({ name }) => name)
      const body = requestBody && Object.values(requestBody.content)[0]?.schema
      return {
        method: method.toUpperCase(),
        path,
        integersInPath: integersIn('path'),
        integersInQuery: integersIn('query'),
        ...(body && { body: inlined(body, components.schemas) })
      }
    })
  )
}

function inlined(shape: Shape, named: Readonly<Record<string, Shape>>): Shape {
  if (shape.$ref !== undefined) return inlined(named[shape.$ref.slice(shape.$ref.lastIndexOf('/') + 1)] ?? {}, named)
  const each = (shapes: Readonly<Record<string, Shape>>): Record<string, Shape> =>
    Object.fromEntries(Object.entries(shapes).map(([name, one]) => [name, inlined(one, named)]))
  return {
    ...shape,
    ...(shape.anyOf && { anyOf: shape.anyOf.map(one => inlined(one, named)) }),
    ...(shape.properties && { properties: each(shape.properties) }),
    ...(shape.patternProperties && { patternProperties: each(shape.patternProperties) }),
    ...(shape.items && { items: inlined(shape.items, named) })
  }
}
