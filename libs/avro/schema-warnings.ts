/** Warnings about one schema alone: defaults that will not be readable when they are needed, and logical types that count for nothing. */
import { fragmentPrinter } from './canonical.ts'
import type { ChangingSide } from './compatibility-rules.ts'
import { type Budget, finishedTypes, misfitOf } from './defaults.ts'
import { isJsonArray, isJsonObject } from './json-text.ts'
import { whyNoLogicalType } from './logical-types.ts'
import { pathOf, type Trail } from './problem.ts'
import type { Field, Json, Schema } from './schema.ts'
import { type Doubt, type WarningType, warningRules } from './warning-rules.ts'

export interface Warning {
  readonly type: WarningType
  /** JSON pointer into the reader's schema with every name replaced by its definition: `/fields/1/type/0`. */
  readonly path: string
  /** Where in the reader's data: `value.items[].price`; `{}` stands for the values of a map. */
  readonly place: string
  /** What is doubtful, as a part of a sentence. */
  readonly reason: string
  /** Canonical text of the reader's type here, shortened. */
  readonly reader: string
  /** The writer's; empty where the warning is about the reader alone. */
  readonly writer: string
  /** How to mend it. */
  readonly mend: string
}

/** More are not listed. */
export const warningsMax = 100
const stepsMax = 100_000

/** Where a walk through a schema stands. */
export interface Spot {
  readonly trail: Trail | null
  readonly place: string
}

export const at = ({ trail, place }: Spot, steps: readonly (string | number)[], placeStep: string): Spot => ({
  trail: steps.reduce<Trail | null>((up, step) => ({ up, step }), trail),
  place: place + placeStep
})

/** Collects warnings up to the bound, and prints them. */
export class Warnings {
  readonly list: Warning[] = []
  readonly #changing: ChangingSide
  readonly #fragment = fragmentPrinter()

  constructor(changing: ChangingSide) {
    this.#changing = changing
  }

  get full(): boolean {
    return this.list.length >= warningsMax
  }

  add(type: WarningType, { trail, place }: Spot, doubt: Doubt): void {
    if (this.full) return
    const rule = warningRules[type]
    this.list.push({
      type,
      path: `/${pathOf(trail).join('/')}`,
      place,
      reason: rule.reason(doubt),
      reader: this.#fragment(doubt.reader),
      writer: doubt.writer === doubt.reader ? '' : this.#fragment(doubt.writer),
      mend: rule.mend(doubt, this.#changing)
    })
  }
}

/** What is doubtful in `schema` itself, each type at its first use, up to `warningsMax`. `root` is how places begin. */
export function schemaWarnings(schema: Schema, { root = 'value' }: { readonly root?: string } = {}): Warning[] {
  const warnings = new Warnings('reader')
  const seen = new Set<Schema>()
  const budget: Budget = { left: stepsMax }
  const warn = (type: WarningType, spot: Spot, doubt: Omit<Doubt, 'writer'>): void => {
    warnings.add(type, spot, { ...doubt, writer: doubt.reader })
  }

  /** As deep as canonical text nests. */
  const walk = (type: Schema, spot: Spot): void => {
    if (seen.has(type) || warnings.full) return
    seen.add(type)
    if (type.kind === 'union') {
      for (const [index, branch] of type.branches.entries()) walk(branch, at(spot, [index], ''))
      return
    }
    if (whyNoLogicalType(type) !== undefined) warn('LOGICAL_TYPE_IGNORED', spot, { reader: type })
    if (type.kind === 'array') walk(type.items, at(spot, ['items'], '[]'))
    else if (type.kind === 'map') walk(type.values, at(spot, ['values'], '{}'))
    else if (type.kind === 'record') {
      for (const [index, field] of type.fields.entries()) {
        const here = at(spot, ['fields', index], `.${field.name}`)
        if (field.default !== undefined) checkDefault(field.type, field.default, field, here)
        walk(field.type, at(here, ['type'], ''))
      }
    }
  }

  const checkDefault = (type: Schema, value: Json, field: Field, spot: Spot): void => {
    const fault = faultOf(type, value)
    if (fault === undefined) return
    const rule = fault.type.kind === 'enum' ? 'ENUM_DEFAULT_UNKNOWN' : 'FIXED_DEFAULT_LENGTH'
    warn(rule, at(spot, ['default'], ''), { reader: fault.type, field, value: fault.value })
  }

  /** The first part of a default that no data of the type can hold. As deep as the value, which the parser bounds. */
  const faultOf = (type: Schema, value: Json): { readonly type: Schema; readonly value: Json } | undefined => {
    if (budget.left-- <= 0) return undefined
    switch (type.kind) {
      case 'enum':
        return typeof value === 'string' && !type.symbols.includes(value) ? { type, value } : undefined
      case 'fixed': {
        const fits = typeof value !== 'string' || (value.length === type.size && !/[^\0-\xff]/.test(value))
        return fits ? undefined : { type, value }
      }
      case 'array':
        return isJsonArray(value) ? firstOf(value, item => faultOf(type.items, item)) : undefined
      case 'map':
        return isJsonObject(value) ? firstOf(value.values(), item => faultOf(type.values, item)) : undefined
      case 'record':
        if (!isJsonObject(value)) return undefined
        return firstOf(type.fields, ({ name, type: inner }) => {
          const item = value.get(name)
          return item === undefined ? undefined : faultOf(inner, item)
        })
      case 'union': {
        // A branch that takes the value without a fault makes it a good default.
        const faults = type.branches
          .filter(branch => misfitOf(branch, value, finishedTypes, budget) === undefined)
          .map(branch => faultOf(branch, value))
        return faults.includes(undefined) ? undefined : faults[0]
      }
      default:
        return undefined
    }
  }

  walk(schema, { trail: null, place: root })
  return warnings.list
}

function firstOf<T, R>(items: Iterable<T>, ask: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const answer = ask(item)
    if (answer !== undefined) return answer
  }
  return undefined
}
