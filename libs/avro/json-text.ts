/**
 * Prints JSON values as Jackson prints them for Java's `Schema.toString()`: no white space, numbers by their Java value
 * (`1e2` is `100.0`, `-0` is `0`), control characters as escapes and everything else as it is.
 */
import type { Json, JsonNumber } from './schema.ts'

export function printJson(value: Json): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quote(value)
  if (isJsonArray(value)) return `[${value.map(printJson).join(',')}]`
  if (isJsonObject(value)) return `{${[...value].map(([key, item]) => `${quote(key)}:${printJson(item)}`).join(',')}}`
  return printNumber(value)
}

export const isJsonArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)
export const isJsonObject = (value: Json | undefined): value is ReadonlyMap<string, Json> => value instanceof Map
export const isJsonNumber = (value: Json | undefined): value is JsonNumber =>
  typeof value === 'object' && value !== null && 'text' in value
/** Written without fraction and exponent: Java keeps `1` an integer and `1.0` not. */
export const isIntegerText = (text: string): boolean => /^-?[0-9]+$/.test(text)

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t'
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped
const escaped = /["\\\u0000-\u001f]/g
const hasEscaped = new RegExp(escaped.source)

/** A JSON string. JSON.stringify would also escape lone surrogates and use small hexadecimal digits. */
export function quote(text: string): string {
  if (!hasEscaped.test(text)) return `"${text}"`
  const body = text.replace(
    escaped,
    char => shortEscapes[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  )
  return `"${body}"`
}

/** A number that is no finite double is printed as a text, which reads back as the same default. */
function printNumber({ text }: JsonNumber): string {
  if (isIntegerText(text)) return text === '-0' ? '0' : text
  const value = Number(text)
  return Number.isFinite(value)
    ? printDouble(value)
    : `"${text.startsWith('-') ? '-' : ''}${Number.isNaN(value) ? 'NaN' : 'Infinity'}"`
}

/** Java's Double.toString: plain from 0.001 to 10,000,000, else `d.dE±n`. */
export function printDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  // Where one digit would do, Java takes the nearest with two: 4.9E-324, not 5.0E-324.
  const shortest = Math.abs(value).toExponential()
  const [mantissa, exponentText] = (shortest.includes('.') ? shortest : Math.abs(value).toExponential(1)).split('e') as [
    string,
    string
  ]
  const sign = value < 0 ? '-' : ''
  const digits = mantissa.replace('.', '').replace(/(?<=.)0$/, '')
  const exponent = Number(exponentText)
  if (exponent < -3 || exponent >= 7) return `${sign}${digits[0]}.${digits.slice(1) || '0'}E${exponent}`
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const padded = digits.padEnd(exponent + 1, '0')
  return `${sign}${padded.slice(0, exponent + 1)}.${padded.slice(exponent + 1) || '0'}`
}
