import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openService, type Service } from '../../../apps/registry/test/service.ts'
import { codeCases } from './code-cases.ts'
import { endpointCases } from './endpoint-cases.ts'
import { orderCases } from './order-cases.ts'
import { parameters, rows } from './rows.ts'
import { scopeCases } from './scope-cases.ts'
import { semanticsCases } from './semantics-cases.ts'
import { settingCases } from './setting-cases.ts'
import { verdictCases } from './verdict-cases.ts'

const cases = [...endpointCases, ...codeCases, ...settingCases, ...semanticsCases, ...orderCases, ...scopeCases, ...verdictCases]

let service: Service
beforeEach(async () => {
  service = await openService()
})
afterEach(() => service.close())

describe("Confluent's API, case by case", () => {
  test.each(cases.map(one => ({ ...one, title: `${one.name} [${one.covers.join('; ')}]` })))('$title', async ({ steps }) => {
    for (const { ask: line, body, status = 200, answer } of steps) {
      const got = await service.ask(line, body)
      expect({ line, body, status: got.status, answer: got.body }).toEqual({ line, body, status, answer })
    }
  })
})

/** Those that need headers are tests of their own; their names begin with the row. */
const withHeaders = readFileSync(join(import.meta.dirname, 'http.test.ts'), 'utf8')
const hasTest = (row: string): boolean => withHeaders.includes(`'${row}'`) || withHeaders.includes(`'${row}: `)

describe('every row has a case, and every case a row', () => {
  test.each(Object.entries(rows))('%s', (_kind, names) => {
    expect(names.filter(name => !cases.some(({ covers }) => covers.includes(name)) && !hasTest(name))).toEqual([])
  })

  test.each(Object.entries(parameters))('%s is asked, with each of its parameters', (endpoint, names) => {
    const [method, path = ''] = endpoint.split(' ')
    const pattern = new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)
    const sent = cases
      .flatMap(({ steps }) => steps)
      .filter(({ status = 200 }) => status < 300)
      .map(({ ask }) => ask.split(' '))
      .filter(([verb, url = '']) => verb === method && pattern.test(url.split('?')[0] as string))
      .map(([, url = '']) => new URLSearchParams(url.split('?')[1]))
    expect(sent).not.toEqual([])
    expect(names.filter(name => !sent.some(query => query.has(name)))).toEqual([])
  })

  test('no case speaks of a row that there is not', () => {
    const known = Object.values(rows).flat()
    expect(cases.flatMap(({ covers }) => covers).filter(name => !known.includes(name))).toEqual([])
  })
})
