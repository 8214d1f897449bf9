/** Random schema texts and pairs of them, most of them valid and near to each other, all of them made from one seed. */

export type Random = () => number

/** mulberry32: small, and the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree }

/** A reader and a writer: the writer is random, the reader a few changes away from it or random, too. */
export function randomPair(random: Random): { reader: string; writer: string } {
  const writer = new Maker(random).schema(0)
  const reader = random() < 0.15 ? new Maker(random).schema(0) : structuredClone(writer)
  const changes = Math.floor(random() * 4)
  let changed: Tree = reader
  for (let i = 0; i < changes; i++) changed = change(changed, random)
  return { reader: JSON.stringify(changed), writer: JSON.stringify(writer) }
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
const names = ['A', 'B', 'C', 'D', 'record', 'x.A', 'x.B', 'x.y.C', 'Ünder_1']
const fieldNames = ['a', 'b', 'c', 'd', 'e', '__proto__', 'toString']
const symbols = ['RED', 'GREEN', 'BLUE', 'UNKNOWN', 'constructor']
const namespaces = ['x', 'x.y', '', 'q']
const logicalTypes = ['date', 'uuid', 'decimal', 'timestamp-millis', 'duration', 'no-such']

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)]!

class Maker {
  readonly #random: Random
  readonly #used: string[] = []
  constructor(random: Random) {
    this.#random = random
  }

  schema(depth: number): Tree {
    const roll = this.#random()
    if (depth > 3 || roll < 0.3) return this.#leaf()
    if (roll < 0.55) return this.#record(depth)
    if (roll < 0.65) return { type: 'array', items: this.schema(depth + 1), ...this.#extras() }
    if (roll < 0.75) return { type: 'map', values: this.schema(depth + 1), ...this.#extras() }
    if (roll < 0.83) return this.#enum()
    if (roll < 0.9) return { type: 'fixed', ...this.#identity(), size: pick(this.#random, [0, 4, 12, 16]), ...this.#extras() }
    return this.#union(depth)
  }

  #leaf(): Tree {
    const random = this.#random
    if (this.#used.length > 0 && random() < 0.35) return pick(random, this.#used)
    if (random() < 0.05) return pick(random, names)
    const type = pick(random, primitives)
    return random() < 0.25 ? { type, ...this.#extras() } : type
  }

  #union(depth: number): Tree {
    const count = 1 + Math.floor(this.#random() * 4)
    const branches = Array.from({ length: count }, () => this.schema(depth + 1)).filter(branch => !Array.isArray(branch))
    return this.#random() < 0.5 ? ['null', ...branches.filter(branch => branch !== 'null')] : branches
  }

  #record(depth: number): Tree {
    const random = this.#random
    const identity = this.#identity()
    const chosen = fieldNames.filter(() => random() < 0.4)
    const fields = chosen.map(name => {
      const type = this.schema(depth + 1)
      const field: { [key: string]: Tree } = Object.create(null)
      Object.assign(field, { name, type })
      if (random() < 0.4) field['default'] = defaultOf(type, random)
      if (random() < 0.1) field['doc'] = pick(random, ['', 'what "it" is\n\u0001', 'é'])
      if (random() < 0.1) field['order'] = pick(random, ['ascending', 'descending', 'IGNORE'])
      if (random() < 0.15) field['aliases'] = [pick(random, fieldNames), 'old']
      if (random() < 0.1) Object.assign(field, this.#extras())
      return field
    })
    return { type: random() < 0.95 ? 'record' : 'error', ...identity, fields, ...this.#extras() }
  }

  #enum(): Tree {
    const random = this.#random
    const own = symbols.filter(() => random() < 0.6)
    const byDefault: { [key: string]: Tree } = random() < 0.3 && own.length > 0 ? { default: pick(random, own) } : {}
    return { type: 'enum', ...this.#identity(), symbols: own, ...byDefault, ...this.#extras() }
  }

  #identity(): { [key: string]: Tree } {
    const random = this.#random
    const name = random() < 0.75 ? `T${this.#used.length}${pick(random, ['', 'x'])}` : pick(random, names)
    const identity: { [key: string]: Tree } = { name }
    if (random() < 0.3) identity['namespace'] = pick(random, namespaces)
    if (random() < 0.2) identity['doc'] = pick(random, ['', 'd'])
    if (random() < 0.2) identity['aliases'] = [pick(random, ['Old', '.Old', 'x.Old', 'T0', 'T1x'])]
    this.#used.push(name)
    return identity
  }

  #extras(): { [key: string]: Tree } {
    const random = this.#random
    const extras: { [key: string]: Tree } = {}
    if (random() < 0.1) extras['zz'] = pick<Tree>(random, [1, 2.5, -0, 1e300, null, { b: 1, a: [true, 'x'] }, 'y'])
    if (random() < 0.15) extras['logicalType'] = pick(random, logicalTypes)
    if (random() < 0.1) extras['precision'] = pick(random, [0, 4, 9, 40])
    if (random() < 0.05) extras['scale'] = pick(random, [0, 2, 20])
    if (random() < 0.05) extras['aa'] = 7
    return extras
  }
}

function defaultOf(type: Tree, random: Random): Tree {
  if (random() < 0.1) return pick<Tree>(random, [null, 1, 1.5, 'x', {}, [], true, 3000000000])
  if (Array.isArray(type)) return type.length === 0 ? null : defaultOf(pick(random, type), random)
  const kind = typeof type === 'object' && type !== null ? type['type']! : type
  switch (kind) {
    case 'null':
      return null
    case 'boolean':
      return true
    case 'int':
    case 'long':
      return Math.floor(random() * 100) - 50
    case 'float':
    case 'double':
      return pick<Tree>(random, [0, 1.5, 1e10, 12345678, 0.0001, 'NaN'])
    case 'array':
      return random() < 0.5 ? [] : [defaultOf((type as { items: Tree }).items, random)]
    case 'map':
      return random() < 0.5 ? {} : { k: defaultOf((type as { values: Tree }).values, random) }
    case 'record':
    case 'error': {
      const fields = (type as { fields?: { name: string; type: Tree; default?: Tree }[] }).fields ?? []
      const given = fields.filter(field => field.default === undefined || random() < 0.3)
      return Object.fromEntries(given.map(field => [field.name, defaultOf(field.type, random)]))
    }
    case 'enum':
    case 'fixed':
    case 'bytes':
    case 'string':
      return 'RED'
    default:
      return pick<Tree>(random, [{}, null, 'RED'])
  }
}

/** One change at a random place: another type, a field more or less, another name, symbol or size, a default more or less. */
function change(tree: Tree, random: Random): Tree {
  const places: { holder: Tree[] | { [key: string]: Tree }; key: string | number }[] = []
  const root = { root: tree }
  const walk = (holder: Tree[] | { [key: string]: Tree }): void => {
    for (const [key, value] of Object.entries(holder)) {
      places.push({ holder, key })
      if (typeof value === 'object' && value !== null) walk(value)
    }
  }
  walk(root)
  const { holder, key } = pick(random, places)
  if (Array.isArray(holder)) changeItem(holder, Number(key), random)
  else holder[key] = changeMember(String(key), holder[key]!, random)
  return root.root
}

function changeItem(items: Tree[], index: number, random: Random): void {
  const roll = random()
  if (roll < 0.4) items.splice(index, 1)
  else if (roll < 0.6) items.push(structuredClone(items[0]!))
  else if (roll < 0.8) items.reverse()
  else items[index] = changeMember('', items[index]!, random)
}

function changeMember(key: string, value: Tree, random: Random): Tree {
  if (key === 'name') return random() < 0.5 ? 'Renamed' : pick(random, [...names, ...fieldNames])
  if (key === 'size') return 5
  if (key === 'namespace') return pick(random, namespaces)
  if (key === 'default') return defaultOf('int', random)
  if (typeof value === 'string' && primitives.includes(value)) return pick(random, primitives)
  if (key === 'root' || key === 'type' || key === 'items' || key === 'values') {
    if (random() < 0.5 && !Array.isArray(value)) return ['null', value]
    return random() < 0.4 ? pick(random, primitives) : value
  }
  return value
}
