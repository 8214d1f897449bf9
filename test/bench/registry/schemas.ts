/** The schemas that registries are measured with: a record of ten fields, an enum and a record inside, and any number of optional fields. */

/** The text of a schema; every `name` is another schema, and one with more `extra` fields can read, and be read by, one with fewer. */
export function measuredSchema(name: string, extra = 0): string {
  const optional = Array.from({ length: extra }, (_, at) => ({ name: `extra${at}`, type: ['null', 'string'], default: null }))
  const line = [
    { name: 'article', type: 'string' },
    { name: 'count', type: 'int' },
    { name: 'price', type: 'double' }
  ]
  return JSON.stringify({
    type: 'record',
    name,
    namespace: 'measured.orders',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'user', type: 'long' },
      { name: 'state', type: { type: 'enum', name: `${name}State`, symbols: ['NEW', 'PAID', 'SENT'] } },
      { name: 'sum', type: 'double' },
      { name: 'currency', type: 'string', default: 'EUR' },
      { name: 'note', type: ['null', 'string'], default: null },
      { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
      { name: 'attributes', type: { type: 'map', values: 'string' }, default: {} },
      { name: 'lines', type: { type: 'array', items: { type: 'record', name: `${name}Line`, fields: line } } },
      ...optional
    ]
  })
}
