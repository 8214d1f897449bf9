import { describe, expect, test } from 'vitest'
import { compilePattern } from './pattern.ts'

describe('a pattern', () => {
  const rows: [pattern: string, matches: string[], others: string[]][] = [
    ['orders', ['orders'], ['orders-2', 'my-orders', '']],
    ['', [''], ['a']],
    ['.*', ['', 'anything.at_all-1'], []],
    ['orders\\..+', ['orders.eu'], ['orders.', 'ordersXeu']],
    ['(orders|payments)-\\d{1,3}', ['orders-1', 'payments-123'], ['orders-', 'orders-1234', 'refunds-1']],
    ['a|b|', ['a', 'b', ''], ['ab']],
    ['^t-[a-c0-2]$', ['t-a', 't-2'], ['t-d', 't-3']],
    ['[^a]x', ['bx'], ['ax']],
    ['[]a]', [']', 'a'], ['b']],
    ['[a-]', ['a', '-'], ['b']],
    ['[[:digit:][:upper:]]+', ['A1'], ['a1']],
    ['[\\w.-]+', ['a_b.c-d'], ['a b']],
    ['\\D\\S\\W', ['ab-'], ['1b-', 'a -', 'abc']],
    ['(?i)Orders', ['orders', 'ORDERS'], ['order']],
    ['(?i:o)rders', ['Orders'], ['ORDERS']],
    ['(?i)a(?-i)b', ['Ab'], ['AB']],
    ['(?P<name>a+)(?<other>b)(?:c)?', ['aab', 'abc'], ['b']],
    ['a{2}', ['aa'], ['a', 'aaa']],
    ['a{2,}', ['aa', 'aaaa'], ['a']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['a+?b*?', ['a', 'aabb'], ['b']],
    ['\\Qa.b\\E.', ['a.bc'], ['axbc']],
    ['\\x61\\x{62}', ['ab'], ['a']],
    ['\\Aab\\z', ['ab'], ['abc']],
    ['(a*)*b', ['b', 'aaab'], ['a']],
    ['ü.', ['üx', 'ü😀'], ['u']]
  ]
  test.each(rows)('%s', (source, matches, others) => {
    const pattern = compilePattern(source)
    expect(matches.filter(text => !pattern.matches(text))).toEqual([])
    expect(others.filter(text => pattern.matches(text))).toEqual([])
  })

  const refused: [string, string][] = [
    ['a back reference', '(a)\\1'],
    ['a look ahead', '(?=a)'],
    ['a look behind', '(?<=a)b'],
    ['a group that is not closed', '(a'],
    ['a group that was not opened', 'a)'],
    ['a class that is not closed', '[a'],
    ['nothing to repeat', '*a'],
    ['a repeat of a repeat', 'a**'],
    ['a possessive repeat', 'a++'],
    ['a repeat beyond a thousand', 'a{1001}'],
    ['a repeat whose end is before its start', 'a{3,2}'],
    ['a range that runs backwards', '[z-a]'],
    ['an escape at the end', 'a\\'],
    ['an unknown escape', '\\y'],
    ['an unknown class', '[[:none:]]'],
    ['more states than there may be', '(a{1000}){1000}'],
    ['nothing, a million times', '((){1000}){1000}'],
    ['too deep a nest', `${'('.repeat(200)}a${')'.repeat(200)}`],
    ['too many characters', 'a'.repeat(2001)]
  ]
  test.each(refused)('with %s is refused', (_name, source) => {
    expect(() => compilePattern(source)).toThrow(expect.objectContaining({ code: 'INVALID_REGULAR_EXPRESSION' }))
  })

  test('that makes others back-track for ever is matched in linear time', () => {
    const pattern = compilePattern('(a*)*(a|aa)*(a?){100}b')
    const startMs = performance.now()
    expect(pattern.matches('a'.repeat(249))).toBe(false)
    expect(performance.now() - startMs).toBeLessThan(500)
  })

  test('agrees with the engine of the language on random expressions', () => {
    let seed = 7
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    const atom = (depth: number): string => {
      const kind = random(depth > 2 ? 4 : 6)
      if (kind < 3) return 'abc'[kind]!
      if (kind === 3) return ['.', '[ab]', '[^a]', '(?:)'][random(4)]!
      return `(?:${expression(depth + 1)})`
    }
    const expression = (depth: number): string =>
      Array.from({ length: 1 + random(3) }, () => atom(depth) + ['', '', '*', '+', '?', '{1,2}', '|'][random(7)]!).join('')
    for (let round = 0; round < 2000; round++) {
      const source = expression(0)
      const [ours, theirs] = [compilePattern(source), new RegExp(`^(?:${source})$`)]
      for (let tries = 0; tries < 6; tries++) {
        const text = Array.from({ length: random(6) }, () => 'abc'[random(3)]!).join('')
        expect(ours.matches(text), `${source} on "${text}"`).toBe(theirs.test(text))
      }
    }
  })
})
