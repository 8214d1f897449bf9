/** Reads what a client gives as the value of a setting: in bounds, among the choices, in one spelling. */
import { AssayError } from '@assay/errors'
import { INT_MAX, LONG_MAX, type TopicConfig } from './topic-configs.ts'

export const invalidConfig = (name: string, reason: string): AssayError => new AssayError('INVALID_CONFIG', { name, reason })

/** The value as it is kept and shown. Fails with INVALID_CONFIG that names what is allowed. */
export function checkedValue(name: string, config: TopicConfig, given: string): string {
  const value = given.trim()
  const quoted = JSON.stringify(given)
  switch (config.kind) {
    case 'boolean': {
      const flag = value.toLowerCase()
      if (flag !== 'true' && flag !== 'false') throw invalidConfig(name, `${quoted} is neither true nor false`)
      return chosen(name, config, flag)
    }
    case 'int':
    case 'long':
      return checkedInteger(name, config, value)
    case 'double': {
      const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN
      if (!(number >= (config.min ?? -Infinity) && number <= (config.max ?? Infinity))) {
        throw invalidConfig(name, `${quoted} is not a number in ${config.min}..${config.max}`)
      }
      return value
    }
    case 'list': {
      const elements = elementsOf(value)
      for (const element of elements) {
        chosen(name, config, element)
        if (config.pattern?.test(element) === false) throw invalidConfig(name, `${JSON.stringify(element)} has no place in it`)
      }
      return elements.join(',')
    }
    case 'string':
      return chosen(name, config, value)
  }
}

/** The elements of a list, each once. */
export const elementsOf = (value: string): string[] => [
  ...new Set(
    value
      .split(',')
      .map(element => element.trim())
      .filter(element => element !== '')
  )
]

function checkedInteger(name: string, config: TopicConfig, value: string): string {
  if (!/^[+-]?\d{1,19}$/.test(value)) throw invalidConfig(name, `${JSON.stringify(value)} is not an integer`)
  const number = BigInt(value.startsWith('+') ? value.slice(1) : value)
  const top = BigInt(config.max ?? (config.kind === 'int' ? INT_MAX : LONG_MAX))
  const bottom = BigInt(config.min ?? (config.kind === 'int' ? -INT_MAX - 1 : `-${LONG_MAX}`))
  const isBesides = config.besides !== undefined && number === BigInt(config.besides)
  if ((number < bottom || number > top) && !isBesides) {
    const besides = config.besides === undefined ? '' : ` and not ${config.besides}`
    throw invalidConfig(name, `${value} is outside ${bottom}..${top}${besides}`)
  }
  return String(number)
}

function chosen(name: string, config: TopicConfig, value: string): string {
  if (config.choices?.includes(value) === false) {
    const why = config.note === undefined ? '' : `. ${config.note}`
    throw invalidConfig(name, `${JSON.stringify(value)} is not ${oneOf(config.choices)}${why}`)
  }
  return value
}

const oneOf = (choices: readonly string[]): string => (choices.length === 1 ? choices[0]! : `one of ${choices.join(', ')}`)
