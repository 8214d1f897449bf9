import { describe, expect, test } from 'vitest'
import { contextFault, rewritePath } from './paths.ts'

const aliases: Readonly<Record<string, string>> = {
  nick: 'orders',
  ':.ctx:nick': ':.ctx:orders',
  'a/b': 'slashed',
  '%': 'percent'
}
const names = { aliased: (subject: string): string => aliases[subject] ?? subject }

const same = (url: string) => [url, url] as const
const tables: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'what needs no change': [
    same('/'),
    same('/subjects'),
    same('/subjects?subjectPrefix=:.ctx:'),
    same('/subjects/orders/versions/1?deleted=true'),
    same('/subjects/:.ctx:orders/versions'),
    same('/subjects/%3A.ctx%3Aorders/versions'),
    same('/subjects/a%20b/versions'),
    same('/schemas/ids/1'),
    same('/schemas/ids/1?subject=orders&fetchMaxId=true'),
    same('/config'),
    same('/config/:.ctx:'),
    same('/contexts'),
    same('/contexts/'),
    same('/contexts/.ctx'),
    same('/contexts/.ctx/'),
    same('/other/config/x'),
    same('/subjects/contexts/versions'),
    same('/subjects/subjects/versions')
  ],
  'a context in front': [
    ['/contexts/.ctx/subjects/orders/versions', '/subjects/%3A.ctx%3Aorders/versions'],
    ['/contexts/ctx/subjects/orders/versions', '/subjects/%3A.ctx%3Aorders/versions'],
    ['/contexts/:.ctx:/subjects/orders/versions', '/subjects/%3A.ctx%3Aorders/versions'],
    ['/contexts/%3A.ctx%3A/subjects/orders/versions', '/subjects/%3A.ctx%3Aorders/versions'],
    ['/contexts/:.ctx/subjects/orders', '/subjects/%3A.ctx%3Aorders'],
    ['/contexts/.ctx/subjects/orders/', '/subjects/%3A.ctx%3Aorders'],
    [
      '/contexts/.ctx/subjects/orders/versions/1?deleted=true&x=a%2Fb',
      '/subjects/%3A.ctx%3Aorders/versions/1?deleted=true&x=a%2Fb'
    ],
    ['/contexts/.ctx/subjects/slash%2Fwithin/versions', '/subjects/%3A.ctx%3Aslash%2Fwithin/versions'],
    ['/contexts/.ctx/subjects/subjects/versions', '/subjects/%3A.ctx%3Asubjects/versions'],
    ['/contexts/.ctx/subjects/contexts/versions', '/subjects/%3A.ctx%3Acontexts/versions'],
    ['/contexts/.ctx/subjects/:.other:orders/versions', '/subjects/:.other:orders/versions'],
    ['/contexts/.ctx/subjects/%3A.other%3Aorders/versions', '/subjects/%3A.other%3Aorders/versions'],
    ['/contexts/.ctx/compatibility/subjects/orders/versions/1', '/compatibility/subjects/%3A.ctx%3Aorders/versions/1'],
    ['/contexts/.ctx/config/orders', '/config/%3A.ctx%3Aorders'],
    ['/contexts/.ctx/config', '/config/%3A.ctx%3A'],
    ['/contexts/.ctx/config?defaultToGlobal=true', '/config/%3A.ctx%3A?defaultToGlobal=true'],
    ['/contexts/.ctx/mode/orders', '/mode/%3A.ctx%3Aorders'],
    ['/contexts/.ctx/mode/', '/mode/%3A.ctx%3A'],
    ['/contexts/.ctx/contexts', '/contexts'],
    ['/contexts/.ctx/v1/metadata/id', '/v1/metadata/id'],
    ['/contexts/.ctx/subjects/%E0%A4%A/versions', '/subjects/%3A.ctx%3A%E0%A4%A/versions']
  ],
  'the default context in front': [
    ['/contexts/./subjects/orders/versions', '/subjects/orders/versions'],
    ['/contexts/:.:/subjects/orders/versions', '/subjects/orders/versions'],
    ['/contexts/:.:/config', '/config'],
    ['/contexts/:.:/mode/orders', '/mode/orders'],
    ['/contexts/:.:/schemas/ids/1', '/schemas/ids/1'],
    ['/contexts/:.:/subjects', '/subjects?subjectPrefix=']
  ],
  'a context in the query': [
    ['/contexts/.ctx/subjects', '/subjects?subjectPrefix=%3A.ctx%3A'],
    ['/contexts/.ctx/subjects?deleted=true', '/subjects?deleted=true&subjectPrefix=%3A.ctx%3A'],
    ['/contexts/.ctx/subjects?subjectPrefix=or', '/subjects?subjectPrefix=%3A.ctx%3Aor'],
    ['/contexts/.ctx/subjects?subjectPrefix=:*:', '/subjects?subjectPrefix=%3A*%3A'],
    ['/contexts/.ctx/subjects?subjectPrefix=:.other:', '/subjects?subjectPrefix=%3A.other%3A'],
    ['/contexts/.ctx/schemas?latestOnly=true', '/schemas?latestOnly=true&subjectPrefix=%3A.ctx%3A'],
    ['/contexts/.ctx/schemas/types', '/schemas/types'],
    ['/contexts/.ctx/schemas/ids/1', '/schemas/ids/1?subject=%3A.ctx%3A'],
    ['/contexts/.ctx/schemas/ids/1/versions?subject=orders', '/schemas/ids/1/versions?subject=%3A.ctx%3Aorders'],
    ['/contexts/.ctx/schemas/ids/1?subject=:.other:orders', '/schemas/ids/1?subject=:.other:orders']
  ],
  'names in their one form': [
    ['/subjects/:.:orders/versions', '/subjects/orders/versions'],
    ['/subjects/%3A.%3Aorders/versions?normalize=true', '/subjects/orders/versions?normalize=true'],
    ['/subjects/:.:a%2Fb', '/subjects/slashed'],
    ['/subjects/:.:ä', '/subjects/%C3%A4'],
    ['/compatibility/subjects/:.:orders/versions', '/compatibility/subjects/orders/versions'],
    ['/schemas/ids/1?subject=:.:orders', '/schemas/ids/1?subject=orders'],
    ['/config/:.:', '/config'],
    ['/config/:.', '/config'],
    ['/config/:.:?defaultToGlobal=true', '/config?defaultToGlobal=true'],
    ['/mode/%3A.%3A', '/mode'],
    ['/mode/:.ctx', '/mode/%3A.ctx%3A'],
    ['/config/:.:orders', '/config/orders'],
    // The default context is no subject: no route is to list subjects instead.
    same('/subjects/:.:'),
    same('/subjects/:.:/versions')
  ],
  aliases: [
    ['/subjects/nick/versions', '/subjects/orders/versions'],
    ['/subjects/nick', '/subjects/orders'],
    ['/subjects/nick/', '/subjects/orders/'],
    ['/subjects/a%2Fb/versions', '/subjects/slashed/versions'],
    ['/subjects/%25/versions', '/subjects/percent/versions'],
    ['/subjects/:.ctx:nick/versions', '/subjects/%3A.ctx%3Aorders/versions'],
    ['/contexts/.ctx/subjects/nick/versions', '/subjects/%3A.ctx%3Aorders/versions'],
    ['/compatibility/subjects/nick/versions/latest?verbose=true', '/compatibility/subjects/orders/versions/latest?verbose=true'],
    ['/schemas/ids/1?fetchMaxId=true&subject=nick', '/schemas/ids/1?fetchMaxId=true&subject=orders'],
    ['/contexts/.ctx/schemas/ids/1/subjects?subject=nick', '/schemas/ids/1/subjects?subject=%3A.ctx%3Aorders'],
    same('/schemas/ids/1?x=subject=nick'),
    same('/subjects?subjectPrefix=nick'),
    same('/config/nick'),
    same('/mode/nick')
  ],
  'what cannot be read stays for the router to refuse': [
    same('/contexts/a:b/subjects'),
    same('/contexts/%zz/subjects'),
    same('/subjects/%zz/versions'),
    same('/subjects//versions')
  ]
}

describe.each(Object.entries(tables))('%s', (_name, rows) => {
  test.each(rows)('%s -> %s', (url, expected) => expect(rewritePath(url, names)).toBe(expected))
})

test.each([
  ['/contexts/a:b/subjects', "Context name 'a:b' cannot contain a colon"],
  ['/contexts/a%3Ab/config', "Context name 'a:b' cannot contain a colon"],
  ['/contexts/.ctx/nothing', undefined],
  ['/contexts/%zz/subjects', undefined],
  ['/nothing', undefined]
])('why no route takes %s', (url, message) => expect(contextFault(url)?.message).toBe(message))

test('an ordinary URL costs next to nothing', () => {
  const urls = [
    '/schemas/ids/1',
    '/subjects/orders-value/versions/latest',
    '/compatibility/subjects/orders-value/versions/1',
    '/config'
  ]
  const started = performance.now()
  for (let round = 0; round < 50_000; round++) for (const url of urls) rewritePath(url, names)
  expect((performance.now() - started) / 200_000).toBeLessThan(0.005)
})
