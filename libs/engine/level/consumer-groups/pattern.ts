/**
 * Regular expressions of subscriptions in RE2's syntax, matched in time linear in the text whatever the expression: a Thompson automaton
 * whose states are walked side by side, so that nobody can make the server think for ever. A whole name must match. What RE2 does not
 * know (back references, look-around, possessive repeats) is refused, and of what it knows `\b`, `\B`, `\C`, `\p{...}` are too.
 */
import { AssayError } from '@assay/errors'

export interface Pattern {
  matches(text: string): boolean
}

/** States of one automaton. */
const STATES_MAX = 2000
/** As in RE2. */
const REPEAT_MAX = 1000
const DEPTH_MAX = 100
export const PATTERN_CHARACTERS_MAX = 2000

type Test = (code: number) => boolean

type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'test'; readonly test: Test }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number }

type State =
  | { readonly kind: 'test'; readonly test: Test; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'match' }

/** Fails with INVALID_REGULAR_EXPRESSION. */
export function compilePattern(source: string): Pattern {
  if (source.length > PATTERN_CHARACTERS_MAX) throw refused(source, `it has more than ${PATTERN_CHARACTERS_MAX} characters`)
  const states: State[] = []
  let laid = 0
  const add = (state: State): number => states.push(state) - 1
  const first = build(new Parser(source).parse(), add({ kind: 'match' }))
  return { matches: text => run(states, first, text) }

  /** Lays a node down in front of `next`, and gives the state that it begins with. */
  function build(node: Node, next: number): number {
    // Nothing, repeated again and again, makes no states and costs time all the same.
    if (++laid > STATES_MAX) throw refused(source, 'it is too large')
    switch (node.kind) {
      case 'empty':
        return next
      case 'test':
        return add({ kind: 'test', test: node.test, next })
      case 'start':
      case 'end':
        return add({ kind: node.kind, next })
      case 'sequence':
        return node.nodes.reduceRight((after, one) => build(one, after), next)
      case 'choice': {
        const [last, ...others] = [...node.nodes].reverse()
        return others.reduce((other, one) => add({ kind: 'split', next: build(one, next), other }), build(last!, next))
      }
      case 'repeat': {
        let after = next
        if (node.max === Number.POSITIVE_INFINITY) {
          const split = { kind: 'split' as const, next: 0, other: next }
          after = add(split)
          split.next = build(node.node, after)
        } else {
          for (let left = node.max - node.min; left > 0; left--) {
            after = add({ kind: 'split', next: build(node.node, after), other: next })
          }
        }
        for (let left = node.min; left > 0; left--) after = build(node.node, after)
        return after
      }
    }
  }
}

const refused = (pattern: string, reason: string): AssayError => new AssayError('INVALID_REGULAR_EXPRESSION', { pattern, reason })

function run(states: readonly State[], first: number, text: string): boolean {
  const marks = new Int32Array(states.length).fill(-1)
  const todo: number[] = []
  const codes = Array.from(text, character => character.codePointAt(0)!)
  let current: number[] = []
  const follow = (from: number, at: number, into: number[]): void => {
    todo.push(from)
    for (let index = todo.pop(); index !== undefined; index = todo.pop()) {
      if (marks[index] === at) continue
      marks[index] = at
      const state = states[index]!
      if (state.kind === 'split') todo.push(state.next, state.other)
      else if (state.kind === 'start') at === 0 && todo.push(state.next)
      else if (state.kind === 'end') at === codes.length && todo.push(state.next)
      else into.push(index)
    }
  }
  follow(first, 0, current)
  for (let at = 0; at < codes.length && current.length > 0; at++) {
    const following: number[] = []
    for (const index of current) {
      const state = states[index]!
      if (state.kind === 'test' && state.test(codes[at]!)) follow(state.next, at + 1, following)
    }
    current = following
  }
  return current.some(index => states[index]!.kind === 'match')
}

const between =
  (from: number, to: number): Test =>
  code =>
    code >= from && code <= to
const anyOf =
  (tests: readonly Test[]): Test =>
  code =>
    tests.some(test => test(code))
const not =
  (test: Test): Test =>
  code =>
    !test(code)
const codeOf = (character: string): number => character.codePointAt(0)!
const among = (ranges: string): Test =>
  anyOf(Array.from({ length: ranges.length / 2 }, (_, at) => between(ranges.charCodeAt(at * 2), ranges.charCodeAt(at * 2 + 1))))

const digit = among('09')
const word = among('09AZaz__')
const space = among('\t\n\f\r  ')
const CLASSES: Readonly<Record<string, Test>> = { d: digit, w: word, s: space, D: not(digit), W: not(word), S: not(space) }
const POSIX: Readonly<Record<string, Test>> = {
  alnum: among('09AZaz'),
  alpha: among('AZaz'),
  ascii: between(0, 0x7f),
  blank: among('\t\t  '),
  cntrl: anyOf([between(0, 0x1f), between(0x7f, 0x7f)]),
  digit,
  graph: among('!~'),
  lower: among('az'),
  print: among(' ~'),
  punct: among('!/:@[`{~'),
  space: among('\t\r  '),
  upper: among('AZ'),
  word,
  xdigit: among('09AFaf')
}
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }
const NEWLINE = 10

interface Flags {
  readonly i: boolean
  readonly s: boolean
}

class Parser {
  #at = 0
  #depth = 0
  #flags: Flags = { i: false, s: false }
  readonly #source: string
  readonly #characters: readonly string[]

  constructor(source: string) {
    this.#source = source
    this.#characters = Array.from(source)
  }

  parse(): Node {
    const node = this.#choice()
    if (this.#at < this.#characters.length) throw this.#refused('a ) is too much')
    return node
  }

  #refused(reason: string): AssayError {
    return refused(this.#source, reason)
  }
  #peek(ahead = 0): string | undefined {
    return this.#characters[this.#at + ahead]
  }
  #take(): string {
    const character = this.#characters[this.#at++]
    if (character === undefined) throw this.#refused('it ends too soon')
    return character
  }
  #skip(text: string): boolean {
    if (!Array.from(text).every((character, at) => this.#peek(at) === character)) return false
    this.#at += text.length
    return true
  }

  #choice(): Node {
    if (++this.#depth > DEPTH_MAX) throw this.#refused('its groups are nested too deeply')
    const nodes = [this.#sequence()]
    while (this.#skip('|')) nodes.push(this.#sequence())
    this.#depth--
    return nodes.length === 1 ? nodes[0]! : { kind: 'choice', nodes }
  }

  #sequence(): Node {
    const nodes: Node[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      if (this.#skip('\\Q')) {
        while (this.#at < this.#characters.length && !this.#skip('\\E')) nodes.push(this.#literal(codeOf(this.#take())))
      } else nodes.push(this.#repeated(this.#atom()))
    }
    return { kind: 'sequence', nodes }
  }

  #repeated(atom: Node): Node {
    let node = atom
    for (let count = 0; ; count++) {
      const bounds = this.#bounds()
      if (bounds === undefined) return node
      if (count > 0) throw this.#refused('a repeat is repeated')
      // Greedy or not: it is the same to a match of the whole.
      this.#skip('?')
      node = { kind: 'repeat', node, ...bounds }
    }
  }

  #bounds(): { readonly min: number; readonly max: number } | undefined {
    if (this.#skip('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#skip('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#skip('?')) return { min: 0, max: 1 }
    if (this.#peek() !== '{') return undefined
    const found = /^\{(\d+)(,(\d*))?\}/.exec(this.#characters.slice(this.#at, this.#at + 12).join(''))
    // As in RE2, a brace that begins no repeat is itself.
    if (found === null) return undefined
    this.#at += found[0].length
    const min = Number(found[1])
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])
    if (min > REPEAT_MAX || (max !== Number.POSITIVE_INFINITY && (max > REPEAT_MAX || max < min))) {
      throw this.#refused(`${found[0]} is no repeat`)
    }
    return { min, max }
  }

  #literal(code: number): Node {
    return { kind: 'test', test: this.#folded(between(code, code)) }
  }

  /** Under (?i) a letter is what any of its cases is. */
  #folded(test: Test): Test {
    if (!this.#flags.i) return test
    return code => {
      if (test(code)) return true
      const character = String.fromCodePoint(code)
      return [character.toLowerCase(), character.toUpperCase()].some(one => one.length === character.length && test(codeOf(one)))
    }
  }

  #atom(): Node {
    const character = this.#take()
    switch (character) {
      case '.': {
        const { s } = this.#flags
        return { kind: 'test', test: code => s || code !== NEWLINE }
      }
      case '^':
        return { kind: 'start' }
      case '$':
        return { kind: 'end' }
      case '(':
        return this.#group()
      case '[':
        return { kind: 'test', test: this.#class() }
      case '\\':
        return this.#escape()
      case '*':
      case '+':
      case '?':
        throw this.#refused(`nothing stands before ${character}`)
      default:
        return this.#literal(codeOf(character))
    }
  }

  #group(): Node {
    const outer = this.#flags
    if (this.#skip('?')) {
      const rest = this.#characters.slice(this.#at).join('')
      const named = /^P?<[A-Za-z_]\w*>/.exec(rest)
      const flags = /^([is]*)(-([is]+))?([:)])/.exec(rest)
      if (named !== null) this.#at += named[0].length
      else if (flags !== null) {
        const has = (flag: 'i' | 's'): boolean => flags[1]!.includes(flag) || (outer[flag] && !(flags[3] ?? '').includes(flag))
        this.#at += flags[0].length
        this.#flags = { i: has('i'), s: has('s') }
        // Without a body the flags hold to the end of the group around.
        if (flags[4] === ')') return { kind: 'empty' }
      } else throw this.#refused(`(?${rest.slice(0, 2)} is not known`)
    }
    const node = this.#choice()
    if (!this.#skip(')')) throw this.#refused('a ) is missing')
    this.#flags = outer
    return node
  }

  #escape(): Node {
    const next = this.#peek()
    if (this.#skip('A')) return { kind: 'start' }
    if (this.#skip('z')) return { kind: 'end' }
    const known = next === undefined ? undefined : CLASSES[next]
    if (known !== undefined) {
      this.#at++
      return { kind: 'test', test: known }
    }
    return this.#literal(this.#escapedCode())
  }

  /** The character that an escape stands for. */
  #escapedCode(): number {
    const character = this.#take()
    if (CONTROLS[character] !== undefined) return CONTROLS[character]
    const rest = this.#characters.slice(this.#at, this.#at + 10).join('')
    const hex = character === 'x' ? /^([0-9A-Fa-f]{2}|\{([0-9A-Fa-f]{1,6})\})/.exec(rest) : null
    if (hex !== null) {
      this.#at += hex[0].length
      const code = Number.parseInt(hex[2] ?? hex[1]!, 16)
      if (code <= 0x10ffff) return code
    }
    if (/[0-9A-Za-z]/.test(character)) throw this.#refused(`\\${character} is not known`)
    return codeOf(character)
  }

  #class(): Test {
    const isNegated = this.#skip('^')
    const tests: Test[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) tests.push(this.#classPart())
    this.#at++
    const test = this.#folded(anyOf(tests))
    return isNegated ? not(test) : test
  }

  #classPart(): Test {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#characters.slice(this.#at, this.#at + 12).join(''))
    if (posix !== null) {
      const known = POSIX[posix[2]!]
      if (known === undefined) throw this.#refused(`${posix[0]} is not known`)
      this.#at += posix[0].length
      return posix[1] === '^' ? not(known) : known
    }
    const escaped = this.#peek() === '\\' ? CLASSES[this.#peek(1) ?? ''] : undefined
    if (escaped !== undefined) {
      this.#at += 2
      return escaped
    }
    const from = this.#classCode()
    if (this.#peek() !== '-' || this.#peek(1) === ']' || this.#peek(1) === undefined) return between(from, from)
    this.#at++
    const to = this.#classCode()
    if (to < from) throw this.#refused('a range of characters runs backwards')
    return between(from, to)
  }

  #classCode(): number {
    return this.#skip('\\') ? this.#escapedCode() : codeOf(this.#take())
  }
}
