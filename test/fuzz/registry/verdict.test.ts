import { describe, expect, test } from 'vitest'
import { faultsOf } from './verdict.ts'
import type { Answer, Exchange } from './wire-client.ts'

const refused: Answer = {
  status: 404,
  contentType: 'application/vnd.schemaregistry.v1+json',
  body: '{"error_code":404,"message":"HTTP 404 Not Found"}'
}
const exchange = (parts: Partial<Exchange>): Exchange => ({
  answers: [refused],
  isClosed: false,
  millis: 1,
  rubbish: '',
  ...parts
})
const http = { isHttp: true, answers: 1 }

describe('the verdict on an answer', () => {
  test.each<[string, Parameters<typeof faultsOf>[0], Exchange, RegExp[]]>([
    ['a refusal with code and message', http, exchange({}), []],
    ['broken HTTP may be cut off', { ...http, isHttp: false }, exchange({ answers: [], isClosed: true }), []],
    ['HTTP may not', http, exchange({ answers: [], isClosed: true }), [/^cut off/]],
    ['silence', http, exchange({ answers: [], millis: -1 }), [/^neither/]],
    ['a fault of the server', http, exchange({ answers: [{ ...refused, status: 500 }] }), [/^answered 500/]],
    [
      'even to what may pass',
      { ...http, mayPass: true },
      exchange({ answers: [{ ...refused, status: 503 }] }),
      [/^answered 503/]
    ],
    ['success', http, exchange({ answers: [{ ...refused, status: 200, body: '[]' }] }), [/^let through with 200/]],
    ['success of what may pass', { ...http, mayPass: true }, exchange({ answers: [{ ...refused, status: 200 }] }), []],
    ['no body', http, exchange({ answers: [{ ...refused, body: '' }] }), [/^404 without/]],
    ['no body where there can be none', { ...http, isHead: true }, exchange({ answers: [{ ...refused, body: '' }] }), []],
    ['another body', http, exchange({ answers: [{ ...refused, body: '{"error":"x","message":"y"}' }] }), [/^404 without/]],
    ['an empty message', http, exchange({ answers: [{ ...refused, body: '{"error_code":1,"message":""}' }] }), [/^404 without/]],
    ['another type', http, exchange({ answers: [{ ...refused, contentType: 'text/html' }] }), [/^404 as text\/html/]],
    ['the beginning of an answer', { ...http, isHttp: false }, exchange({ rubbish: 'HTTP/1.1 20', isClosed: true }), []],
    [
      'the beginning of one that goes on',
      { ...http, isHttp: false },
      exchange({ rubbish: 'HTTP/1.1 20' }),
      [/^bytes that are no answer/]
    ],
    ['what is no answer', http, exchange({ rubbish: 'HTTP/1.1 20' }), [/^bytes that are no answer/]]
  ])('%s', (_name, request, answer, faults) => {
    const said = faultsOf(request, answer)
    expect(said.length, said.join('\n')).toBe(faults.length)
    for (const [at, pattern] of faults.entries()) expect(said[at]).toMatch(pattern)
  })
})
