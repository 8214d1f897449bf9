/** The schemas of the scenarios in TypeScript. */
export const visitOf = (name: string, ...more: readonly object[]): string =>
  JSON.stringify({
    type: 'record',
    name,
    namespace: 'conformance',
    fields: [{ name: 'user', type: 'string' }, { name: 'step', type: 'int' }, ...more]
  })

export const page = { name: 'page', type: 'string', default: '/' }
export const required = { name: 'required', type: 'string' }

export const money = '{"type":"record","name":"Money","namespace":"conformance","fields":[{"name":"cents","type":"long"}]}'
export const order = '{"type":"record","name":"Order","namespace":"conformance","fields":[{"name":"total","type":"Money"}]}'
export const positive = {
  name: 'positive',
  kind: 'CONDITION',
  mode: 'WRITE',
  type: 'CEL',
  expr: 'message.step > 0'
} as const
