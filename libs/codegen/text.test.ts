import { expect, test } from 'vitest'
import { commentLine, docComment, literal, propertyKey, propertyName } from './text.ts'

const hostile = [`'`, `\\`, `\\'`, '\n', '\u2028', '\u202e', '\ud800', `\`\${x}\``, '*/', '//', '\0', '😀 ü', '</script>']

test.each(hostile)('the literal of %j reads as that text', text => {
  const written = literal(text)
  expect(written).not.toMatch(/[\n\r\u2028\u2029\u202e]/)
  expect(JSON.parse(`"${written.slice(1, -1).replaceAll(`\\'`, `'`).replaceAll('"', '\\"')}"`)).toBe(text)
})

const comments = [
  { name: 'an end of the comment', lines: ['a */ b'], text: '/** a * / b */\n' },
  { name: 'an end made of two', lines: ['a **//'], text: '/** a ** // */\n' },
  { name: 'a slash at the start of a line', lines: ['/ x'], text: '/**\n * / x\n */\n' },
  { name: 'a slash alone on the second line', lines: ['x\n/'], text: '/**\n * x\n * /\n */\n' },
  { name: 'all kinds of line ends', lines: ['a\r\nb\u2028c\u2029d\re'], text: '/**\n * a\n * b\n * c\n * d\n * e\n */\n' },
  { name: 'a word to the compiler', lines: ['@ts-ignore'], text: '/** @ ts-ignore */\n' },
  { name: 'text that runs from right to left', lines: ['a\u202eb'], text: '/** a b */\n' },
  { name: 'nothing', lines: ['', ' '], text: '' }
]
test.each(comments)('a comment survives $name', ({ lines, text }) => {
  expect(docComment(lines)).toBe(text)
  expect(text.trimEnd().slice(2, -2)).not.toContain('*/')
})

test('a property is quoted where it has to be, and __proto__ stays a property', () => {
  expect([propertyName('a'), propertyName('user-activity'), propertyName('1a')]).toEqual(['a', `'user-activity'`, `'1a'`])
  expect(propertyKey('__proto__')).toBe(`['__proto__']`)
  expect(commentLine('__proto__')).toBe('__proto__')
})
