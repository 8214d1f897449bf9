/**
 * The only place where text of a schema becomes text of a program. Whatever a doc, a symbol or a default holds, what comes out is one
 * string literal, one comment or one property name, and nothing more.
 */

/** Line ends, other controls, lone surrogates, and characters that make text look other than it is (bidi controls, zero width). */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/gu

/** A string literal in single quotes. */
export function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replace(unprintable, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}'`
}

/** A property name as it stands in a type: bare where TypeScript takes it bare. */
export function propertyName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : literal(name)
}

/** A property name as it stands in an object: `__proto__: x` would set the prototype, `['__proto__']: x` does not. */
export function propertyKey(name: string): string {
  return name === '__proto__' ? `['__proto__']` : propertyName(name)
}

/** One line of a comment that no text can end, and that speaks to no compiler (`@ts-expect-error`). */
export function commentLine(text: string): string {
  return text
    .replace(unprintable, ' ')
    .replaceAll('*/', '* /')
    .replace(/@(?=ts-)/gi, '@ ')
    .trim()
}

/** A JSDoc comment; empty text for no lines at all. */
export function docComment(lines: readonly string[], indent = ''): string {
  const clean = lines.flatMap(line => line.split(/\r\n|[\n\r\u2028\u2029]/)).map(commentLine)
  while (clean.at(-1) === '') clean.pop()
  if (clean.length === 0) return ''
  // A line that begins with a slash would close the comment: `*` and `/` meet.
  if (clean.length === 1 && !clean[0]!.startsWith('/')) return `${indent}/** ${clean[0]} */\n`
  return `${indent}/**\n${clean.map(line => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`
}
