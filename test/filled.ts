/** Message bodies of which a test writes only what matters: what is left out has its default. */
import type { AnyApi, Fields, RequestOf } from '@assay/protocol'

export const requestOf = <A extends AnyApi>(api: A, body: object): RequestOf<A> =>
  filled(api.request, body as Record<string, unknown>) as RequestOf<A>

export function filled(fields: Fields, given: Record<string, unknown>): Record<string, unknown> {
  for (const name of Object.keys(given)) if (!(name in fields)) throw new Error(`There is no field ${name}`)
  return Object.fromEntries(
    Object.entries(fields).map(([name, { shape }]) => {
      const value = given[name] === undefined ? shape.fallback : given[name]
      const structs = shape.kind === 'array' && Array.isArray(value) && shape.of !== undefined && !('shape' in shape.of)
      return [name, structs ? value.map(element => filled(shape.of as Fields, element)) : value]
    })
  )
}
