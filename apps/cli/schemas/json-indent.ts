/** JSON over several lines, every token as it stands: a number beyond 2^53 keeps its digits, a key that stands twice stays. */

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs

/** Two spaces a level; an empty object or array on one line. A text that is not JSON comes back with other white space. */
export function indentJson(text: string): string {
  let depth = 0
  let out = ''
  let before = ''
  const newLine = (): string => `\n${'  '.repeat(Math.max(0, depth))}`
  for (const [part] of text.matchAll(token)) {
    if (part === '}' || part === ']') {
      depth--
      out += before === '{' || before === '[' ? part : newLine() + part
    } else {
      if (before === '{' || before === '[' || before === ',') out += newLine()
      out += part === ':' ? ': ' : part
      if (part === '{' || part === '[') depth++
    }
    before = part
  }
  return out
}
