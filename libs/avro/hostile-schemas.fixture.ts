/**
 * Schema texts made to hurt a parser: too deep, too many, too long, exponential, self-referring, half broken, named like parts of every
 * JavaScript object. Each comes from a seed and a number alone. Some are legal at the edge of a limit and must be accepted.
 */

export interface HostileSchema {
  readonly kind: string
  readonly text: string
}

/** mulberry32: small, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** What a kind draws its sizes and choices from. */
class Dice {
  readonly #random: () => number
  constructor(seed: number) {
    this.#random = randomFrom(seed)
  }
  /** Whole, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }
  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)]!
  }
  chance(share: number): boolean {
    return this.#random() < share
  }
}

const many = (count: number, one: (index: number) => string): string => Array.from({ length: count }, (_, i) => one(i)).join(',')
const text = (value: unknown): string => JSON.stringify(value)
const field = (name: string, type: string, more = ''): string => `{"name":${text(name)},"type":${type}${more}}`
const record = (name: string, fields: string, more = ''): string =>
  `{"type":"record","name":${text(name)},"fields":[${fields}]${more}}`
const enumOf = (name: string, symbols: string, more = ''): string =>
  `{"type":"enum","name":${text(name)},"symbols":[${symbols}]${more}}`
const fixed = (name: string, size: number | string = 1): string => `{"type":"fixed","name":${text(name)},"size":${size}}`
const array = (items: string): string => `{"type":"array","items":${items}}`

const objectKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'then']
/** Near the limit of the text. */
const megabyte = 1024 * 1024 - 2_000

/** Nested records whose defaults are filled in from the defaults below: twice the work with each level where nothing is remembered. */
function nestedDefaults(levels: number, value: string): string {
  let type = record('R0', field('x', '"int"', ',"default":1'))
  for (let i = 1; i <= levels; i++) {
    type = record(`R${i}`, `${field('a', type, `,"default":${value}`)},${field('b', `"R${i - 1}"`, `,"default":${value}`)}`)
  }
  return type
}

const kinds: Readonly<Record<string, (dice: Dice) => string>> = {
  'arrays nested to the limit and beyond': dice => {
    const depth = dice.pick([63, 64, 65, 300, 5_000])
    return `${'{"type":"array","items":'.repeat(depth)}"int"${'}'.repeat(depth)}`
  },
  'brackets without end': dice => dice.pick(['[', '{"type":', '{"items":[', '[[{"type":[']).repeat(dice.between(1_000, 90_000)),
  'records nested to the limit and beyond': dice => {
    const depth = dice.pick([31, 63, 64, 320])
    let type = '"int"'
    for (let i = 0; i < depth; i++) type = record(`R${i}`, field('a', type))
    return type
  },
  'depth through names': dice => {
    const count = dice.between(40, 400)
    return `[${many(count, i => record(`R${i}`, field('n', i === count - 1 ? '"int"' : text(`R${i + 1}`))))}]`
  },
  'names at the limit and beyond': dice => {
    const count = dice.pick([4_990, 5_001, 9_000])
    const each = 30
    return `[${many(Math.min(499, Math.ceil(count / each)), i =>
      record(
        `H${i}`,
        many(each - 1, k => field(`f${k}`, fixed(`F${i}_${k}`)))
      )
    )}]`
  },
  'fields at the limit and beyond': dice =>
    record(
      'R',
      many(dice.pick([1_000, 1_001, 20_000]), i => field(`f${i}`, dice.pick(['"int"', '["null","string"]', array('"long"')])))
    ),
  'symbols at the limit and beyond': dice =>
    enumOf(
      'E',
      many(dice.pick([10_000, 10_001, 60_000]), i => text(`S${i}`))
    ),
  'branches at the limit and beyond': dice => `[${many(dice.pick([500, 501, 10_000]), i => fixed(`F${i}`))}]`,
  'a text at the limit and beyond': dice => `{"type":"string","doc":${text('d'.repeat(megabyte + dice.between(-5_000, 5_000)))}}`,
  'a megabyte of white space': dice => `${' \n\t'.repeat(megabyte / 3)}"int"${dice.pick(['', 'x'])}`,
  comments: dice =>
    `${`/*${'*'.repeat(dice.between(1, 9))}*/`.repeat(dice.between(1_000, 60_000))}${dice.pick(['"int"', '/*', '//'])}`,
  'nested defaults': dice => nestedDefaults(dice.between(10, 31), '{}'),
  'nested defaults that do not fit': dice => nestedDefaults(dice.between(10, 31), dice.pick(['{"a":1}', '[]', 'null'])),
  'a default that fits only deep inside many branches': dice => {
    const width = dice.between(20, 300)
    const union = `[${many(width, i => `"R${i}"`)}]`
    const depth = dice.between(20, 60)
    const value = `${'{"a":'.repeat(depth)}${dice.pick(['1', '{}'])}${'}'.repeat(depth)}`
    const types = `[${many(width, i => record(`R${i}`, field('a', union)))}]`
    return record('Top', `${field('types', types)},${field('d', union, `,"default":${value}`)}`)
  },
  'a long default for a wide union': dice => {
    const width = dice.between(100, 490)
    const union = `[${many(width, i => record(`R${i}`, field(`a${i}`, '"int"')))}]`
    return record(
      'Top',
      field('d', array(union), `,"default":[${many(dice.between(1_000, 60_000), () => dice.pick(['{}', '{"z":1}', '0']))}]`)
    )
  },
  'a long default of plain items': dice =>
    record(
      'R',
      field(
        'a',
        dice.pick([array('"int"'), array('"long"'), array('["string","int"]')]),
        `,"default":[${many(dice.between(1_000, 200_000), i => String(i))}]`
      )
    ),
  'names of every object as types': dice => {
    const name = text(dice.pick(objectKeys))
    return dice.pick([
      name,
      `[${name}]`,
      array(name),
      record('R', field('a', name)),
      `{"type":${name}}`,
      `{"type":"map","values":${name}}`
    ])
  },
  'names of every object as names': dice =>
    record(
      dice.pick(objectKeys),
      objectKeys
        .map(key =>
          field(key, enumOf(`x.${key}`, objectKeys.map(text).join()), dice.chance(0.5) ? `,"default":${text(key)}` : '')
        )
        .join(),
      `,"aliases":${text(objectKeys)},"__proto__":{"fields":[]},"constructor":1`
    ),
  'names of every object in defaults': dice => {
    const key = dice.pick(objectKeys)
    const values = `{${objectKeys.map(own => `${text(own)}:${dice.pick(['1', '{}', 'null'])}`).join()}}`
    return record(
      'R',
      `${field(key, '{"type":"map","values":"int"}', `,"default":${values}`)},${field('b', record('S', field(key, '"int"', ',"default":2')), `,"default":${values}`)}`
    )
  },
  'keys that come twice': dice => {
    const count = dice.between(2, 20_000)
    return `{${many(count, i => (i % 2 === 0 ? '"type":"record"' : `"name":"R${i}"`))},"fields":[],"fields":[],"__proto__":1,"__proto__":[]}`
  },
  'records that contain themselves': dice =>
    dice.pick([
      record('R', field('a', '"R"')),
      record(
        'R',
        many(1_000, i => field(`f${i}`, '["null","R"]', ',"default":null'))
      ),
      record('R', field('a', '"R"', ',"default":{}')),
      `{"type":"record","name":"R","fields":[${field('a', array('"R"'), `,"default":${'['.repeat(60)}${']'.repeat(60)}`)}]}`
    ]),
  'records that all use each other': dice => {
    const count = dice.between(50, 499)
    const uses = dice.between(2, 20)
    return `[${many(count, i =>
      record(
        `R${i}`,
        many(uses, k => field(`f${k}`, `["null","R${(i * (7 + 6 * k) + k) % count}"]`))
      )
    )}]`
  },
  'a name before its definition, again and again': dice => {
    const count = dice.between(50, 499)
    const end = dice.chance(0.5) ? `,${fixed('Last')}` : ''
    return `[${many(count, i => record(`R${i}`, `${field('a', text(`R${(i + 1) % count}`))},${field('b', '"Last"')}`))}${end}]`
  },
  'a type defined again and again': dice => {
    const type = dice.pick([
      fixed('F'),
      enumOf(
        'E',
        many(200, i => text(`S${i}`))
      ),
      record(
        'S',
        many(20, i => field(`x${i}`, '"int"'))
      ),
      record('S', field('s', '["null","S"]'))
    ])
    const other = dice.chance(0.5) ? field('z', type.replace(/"size":1|"S0"|"int"/, '"size":2')) : field('z', type)
    return record('R', `${many(dice.between(100, 900), i => field(`f${i}`, type))},${other}`)
  },
  'thousands of aliases': dice => {
    const count = dice.between(1_000, 60_000)
    const aliases = `,"aliases":[${many(count, i => text(`${dice.pick(['', 'x.', '.'])}a${i % 5_000}`))}]`
    return dice.chance(0.5) ? record('R', '', aliases) : record('R', field('f', '"int"', aliases))
  },
  'aliases that meet other fields': () =>
    record(
      'R',
      many(1_000, i => field(`f${i}`, '"int"', `,"aliases":["f${(i + 1) % 1_000}","g${i}"]`))
    ),
  'a very long name': dice => {
    const name = dice.pick(['n', 'n.', '-', 'é', '𝒜', 'n-']).repeat(dice.between(10_000, 200_000))
    return dice.pick([
      fixed(name),
      record('R', field(name, '"int"')),
      enumOf('E', text(name)),
      text(name),
      `{"type":"fixed","name":"F","namespace":${text(name)},"size":1}`
    ])
  },
  'numbers beyond all bounds': dice => {
    const number = dice.pick([
      '9'.repeat(1_000),
      `-${'9'.repeat(999)}`,
      '1e999',
      '-1e-999',
      `0.${'3'.repeat(900)}`,
      '9'.repeat(1_001),
      '1e',
      '01',
      '-'
    ])
    return dice.pick([
      record('R', field('a', dice.pick(['"int"', '"long"', '"double"', '"float"']), `,"default":${number}`)),
      fixed('F', number),
      `{"type":"array","items":"int","x":[${many(900, () => number)}]}`,
      `{"type":"bytes","logicalType":"decimal","precision":${number},"scale":${number}}`
    ])
  },
  'characters that are none': dice => {
    const odd = dice.pick(['\u0000', '\ud800', '\udc00\ud800', '\ufeff', '\u202e', '\u2028', '\u007f', '"', '\\'])
    return dice.pick([
      `${odd}"int"`,
      text(`${odd}int`),
      fixed(`a${odd}`),
      enumOf('E', text(odd)),
      record('R', field('a', '"string"', `,"default":${text(odd.repeat(1_000))}`)),
      `"${odd}"`
    ])
  },
  'a string of escapes': dice =>
    `{"type":"string","doc":"${dice.pick(['\\u0000', '\\n', '\\ud800', '\\"', '\\\\']).repeat(dice.between(1_000, 150_000))}"}`,
  'a broken escape or end': dice =>
    dice.pick([
      '"\\u00',
      '"\\x"',
      '{"type":"int"',
      '{"type":"int",}',
      '[1,]',
      '"a',
      '{"a" 1}',
      'nul',
      'NaN',
      '',
      ' ',
      "{'type':'int'}"
    ]),
  'a schema cut or changed at one place': dice => {
    const whole = record(
      'R',
      `${field('a', enumOf('E', '"A","B"'), ',"default":"A"')},${field('b', '["null","R"]', ',"default":null')},${field('c', fixed('F', 4))}`
    )
    const at = dice.between(0, whole.length - 1)
    const put = dice.pick(['', '"', '{', ']', ',', '\\', '0', '\u0001', 'null', '[]', '"type":"record",'])
    return dice.chance(0.3) ? whole.slice(0, at) : whole.slice(0, at) + put + whole.slice(at + dice.between(0, 3))
  },
  'values in the wrong places': dice => {
    const wrong = (): string =>
      dice.pick([
        'null',
        '1',
        '[]',
        '{}',
        'true',
        '""',
        '"record"',
        '[[]]',
        '{"type":null}',
        '{"type":[]}',
        '{"type":{"type":"int"}}'
      ])
    return dice.pick([
      wrong(),
      `{"type":"record","name":${wrong()},"fields":[]}`,
      `{"type":"record","name":"R","fields":${wrong()}}`,
      `{"type":"record","name":"R","fields":[${wrong()}]}`,
      record('R', field('a', wrong(), `,"order":${wrong()},"aliases":${wrong()},"doc":${wrong()}`)),
      `{"type":"enum","name":"E","symbols":${wrong()},"default":${wrong()}}`,
      `{"type":"fixed","name":"F","size":${wrong()},"namespace":${wrong()}}`,
      array(wrong()),
      `{"type":"map","values":${wrong()}}`,
      `[${wrong()},${wrong()}]`
    ])
  },
  'a megabyte of properties': dice =>
    dice.pick([
      `{"type":"int","x":[${many(dice.between(10_000, 300_000), () => '{}')}]}`,
      `{"type":"array","items":"int",${many(dice.between(1_000, 60_000), i => `"p${i}":${i}`)}}`,
      `{"type":"int","x":${'[['.repeat(30)}${many(100_000, () => '[]')}${']]'.repeat(30)}}`,
      `{"type":"int","x":${'{"a":'.repeat(dice.between(60, 70))}1${'}'.repeat(70)}}`
    ]),
  'thousands of names that nobody defines': dice => {
    const known = many(dice.between(1, 400), i => fixed(`x.F${i}`))
    return `[${known},${record(
      'R',
      many(1_000, i => field(`f${i}`, dice.pick([`"F${i}"`, `"y.F${i}"`, '"strin"', '"String"'])))
    )}]`
  },
  'enums as large as can be': dice => {
    const symbols = many(10_000, i => text(`S${i}`))
    return record(
      'R',
      many(dice.between(2, 9), i => field(`e${i}`, enumOf(`E${i}`, symbols), ',"default":"nobody"'))
    )
  },
  'a megabyte of records in one union': dice => {
    const width = dice.between(300, 500)
    const each = Math.floor(megabyte / width / 40) - 2
    return `[${many(width, i =>
      record(
        `R${i}`,
        many(Math.min(each, 1_000), k => field(`f${k}`, '"int"', ',"default":0'))
      )
    )}]`
  }
}

export const hostileKinds: readonly string[] = Object.keys(kinds)

/** The schema of a kind that the seed gives. */
export function hostileSchema(kind: string, seed: number): HostileSchema {
  return { kind, text: kinds[kind]!(new Dice(seed)) }
}

/** As many as asked for, kind after kind; the same seed gives the same schemas. They are made one by one: some have a megabyte. */
export function* hostileSchemas(count: number, seed: number): IterableIterator<HostileSchema> {
  for (let i = 0; i < count; i++) yield hostileSchema(hostileKinds[i % hostileKinds.length]!, seed + i)
}
