/** Generated code before a real compiler and a real runtime. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { generateTypeScript, type SchemaInput } from './generate.ts'

const root = join(import.meta.dirname, '../..')
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'assay-codegen-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

function write(path: string, text: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

/** Diagnostics of one compiler run over everything in the folder but what is left out, as `file(line): text`. */
function compile(include: readonly string[]): string[] {
  const config = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      noEmit: true,
      composite: false,
      declarationMap: false,
      sourceMap: false,
      isolatedDeclarations: true,
      typeRoots: [join(root, 'node_modules/@types')],
      // The stand-in for the run-time package is imported by its absolute path.
      rewriteRelativeImportExtensions: false
    },
    include
  }
  write('tsconfig.json', JSON.stringify(config))
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8'
  })
  return stdout.split('\n').filter(line => line !== '')
}

const shop = [
  `import { producer, registryClient } from '@assay/client'`,
  `import { Order } from '${join(root, 'examples/generated/shop/orders/Order.ts')}'`,
  `import { topics } from '${join(root, 'examples/generated/topics.ts')}'`,
  `const p = producer({ topics, bootstrap: 'localhost:9092', registry: registryClient({ url: 'http://localhost:8081' }) })`,
  `const order = Order.create({ orderId: 1, customerId: 2n, status: 'PAID', lines: [], total: '9.90', placedAt: new Date() })`,
  `await p.send('orders', { key: { orderId: 1n }, value: order })`,
  `export const total: string | null = order.coupon`,
  `await p.send('orders', { value: { ...order, coupn: 'X' } }) // wrong: a field that is not there`,
  `await p.send('orders', { value: { ...order, status: 'LOST' } }) // wrong: a symbol that is not there`,
  `await p.send('order', { value: order }) // wrong: a topic that is not there`,
  `await p.send('user-activity', { value: order }) // wrong: a value of another topic`,
  `Order.create({ orderId: 1n, customerId: 2n, status: 'PAID', lines: [], placedAt: new Date() }) // wrong: a field that is missing`,
  `export const id: number = order.orderId // wrong: a long is exact`
]

test('examples and the hard schema compile; what does not fit its schema is an error at its line', () => {
  const hard = readFileSync(join(import.meta.dirname, 'test/hard/value.avsc'), 'utf8')
  for (const { path, text } of generateTypeScript([{ file: 'value.avsc', text: hard, topic: 'hard' }]))
    write(`hard/${path}`, text)
  write('shop.ts', shop.join('\n'))
  const wrong = shop.flatMap((line, index) => (line.includes('// wrong') ? [index + 1] : []))
  const found = compile(['hard/**/*.ts', 'shop.ts', join(root, 'examples/**/*.ts')])
  const inShop = found.flatMap(line => /^shop\.ts\((\d+),/.exec(line)?.[1] ?? [])
  expect(found.filter(line => !line.startsWith('shop.ts') && !line.startsWith(' '))).toEqual([])
  expect([...new Set(inShop.map(Number))]).toEqual(wrong)
}, 120_000)

const evil = [
  '*/ globalThis.canary = 1 /*',
  '\n*/globalThis.canary=1//',
  `'; globalThis.canary = 1; '`,
  `\\'; globalThis.canary = 1;//`,
  `\`\${globalThis.canary = 1}\``,
  '\u2028globalThis.canary = 1',
  '\r globalThis.canary = 1',
  '*\u200b/ globalThis.canary = 1 /*',
  '"} as never; globalThis.canary = 1 //',
  '/',
  '@ts-nocheck\n@ts-ignore',
  '\ud800'
]
const names = [
  'class',
  'default',
  'constructor',
  '__proto__',
  'toString',
  'Map',
  'Object',
  'await',
  'topics',
  'Order',
  'order',
  'OrderInit'
]
const moreNames = ['arguments', 'string', 'Array', 'Temporal', 'AvroType', 'avroType', 'as', 'type', 'Zähler', 'null_', 'isOrder']
const text = fc.oneof(fc.constantFrom(...evil), fc.string({ unit: 'binary', maxLength: 20 }))
const name = fc.constantFrom(...names, ...moreNames)
const fieldType = fc.oneof(
  fc.constantFrom('int', 'long', 'bytes', 'string'),
  fc.constant({ type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }),
  fc.constant({ type: 'array', items: ['null', 'int', 'long'] }),
  text.map(property => ({ type: 'map', values: 'string', property }))
)

/** A record with an enum and another record inside, every text in it hostile. */
const hostile = fc
  .record({
    names: fc.uniqueArray(name, { minLength: 4, maxLength: 4 }),
    // No type may be called string outside a namespace.
    namespaces: fc.array(fc.constantFrom('b', 'a', 'a.class', 'con', 'node_modules.x'), { minLength: 3, maxLength: 3 }),
    fields: fc.uniqueArray(name, { minLength: 3, maxLength: 3 }),
    symbols: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
    texts: fc.array(text, { minLength: 6, maxLength: 6 }),
    type: fieldType,
    topic: fc.constantFrom('__proto__', 'constructor', 'a-b', 'x.y_z', '0')
  })
  .map(
    ({
      names: [outer, inner, symbol, other],
      namespaces,
      fields,
      symbols,
      texts,
      type,
      topic
    }): SchemaInput & { topic: string } => {
      const innerRecord = {
        type: 'record',
        name: inner,
        namespace: namespaces[1],
        doc: texts[1],
        fields: [{ name: fields[2], type, doc: texts[2] }]
      }
      const otherRecord = { type: 'record', name: other, namespace: namespaces[1], fields: [] }
      const schema = {
        type: 'record',
        name: outer,
        namespace: namespaces[0],
        doc: texts[0],
        deprecated: texts[3],
        fields: [
          { name: fields[0], type: 'string', default: texts[4], doc: texts[4], deprecated: texts[5] },
          { name: fields[1], type: [innerRecord, otherRecord] },
          { name: fields[2], type: { type: 'enum', name: symbol, namespace: namespaces[2], doc: texts[5], symbols } }
        ]
      }
      return { file: texts[5]!, text: JSON.stringify(schema), topic }
    }
  )

const runtime = `
export interface AvroType<T, I> { readonly t?: T; readonly i?: (init: I) => void }
export const avroType = <T, I>(_parts: object): AvroType<T, I> => ({})
export interface Decimal { readonly unscaled: bigint }
export interface Duration { readonly days: number }
export type Tagged<N extends string, T> = T & { readonly $type: N }
export interface Boxed<N extends string, T> { readonly $type: N; readonly value: T }
`

test('hostile names, docs, symbols, defaults and properties compile and run as text', () => {
  const seed = Number(process.env['ASSAY_SEED'] ?? 20261123)
  const runtimeFile = write('evil/runtime.ts', runtime)
  const inputs = fc.sample(hostile, { numRuns: 150, seed })
  const modules = inputs.flatMap((input, index) => {
    const files = generateTypeScript([input], { runtime: runtimeFile })
    return files.map(({ path, text }) => write(`evil/${index}/${path}`, text))
  })
  write(
    'evil/main.mjs',
    `${modules.map(file => `await import(${JSON.stringify(file)})`).join('\n')}\nconsole.log(globalThis.canary ?? 'silent')\n`
  )
  const run = spawnSync(process.execPath, ['--no-warnings', join(folder, 'evil/main.mjs')], { encoding: 'utf8' })
  expect(`${run.stdout}${run.stderr}`, `seed ${seed}`).toBe('silent\n')
  expect(
    compile(['evil/**/*.ts']).map(line => relative(folder, line)),
    `seed ${seed}`
  ).toEqual([])
}, 120_000)
