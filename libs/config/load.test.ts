import { AssayError } from '@assay/errors'
import { describe, expect, test } from 'vitest'
import { checkSetting, isLoopback, loadConfig, parseAddress } from './load.ts'
import { rowOf, settingNames } from './settings.ts'

const none = { flags: {}, env: {}, file: {} }

describe('order of sources', () => {
  const file = { 'default-partitions': 2 }
  const env = { ASSAY_DEFAULT_PARTITIONS: '3' }
  const flags = { defaultPartitions: '4' }
  test.each([
    ['default', none, 1],
    ['file', { ...none, file }, 2],
    ['variable', { ...none, file, env }, 3],
    ['flag', { flags, file, env }, 4]
  ])('%s wins', (origin, sources, value) => {
    const loaded = loadConfig(sources)
    expect(loaded.config.defaultPartitions).toBe(value)
    expect(loaded.origins.defaultPartitions).toBe(origin)
  })

  test('an empty variable counts as not set', () => {
    expect(loadConfig({ ...none, env: { ASSAY_HTTP: '' } }).origins.http).toBe('default')
  })
})

describe('what is refused says why', () => {
  test.each([
    [
      'a word for a number',
      { ...none, flags: { defaultPartitions: 'many' } },
      '--default-partitions = many: expected a whole number of count'
    ],
    ['a number out of bounds', { ...none, env: { ASSAY_DEFAULT_PARTITIONS: '0' } }, 'ASSAY_DEFAULT_PARTITIONS = 0: at least 1'],
    ['an unknown choice', { ...none, flags: { flush: 'often' } }, '--flush = often: one of commit, interval, never'],
    [
      'an address without a port',
      { ...none, flags: { http: 'localhost' } },
      '--http = localhost: expected HOST:PORT, such as 127.0.0.1:9092'
    ],
    [
      'a URL that is none',
      { ...none, flags: { registry: 'nowhere' } },
      '--registry = nowhere: expected a URL such as http://127.0.0.1:8081'
    ],
    ['a yes for a flag', { ...none, env: { ASSAY_ALLOW_REMOTE: 'yes' } }, 'ASSAY_ALLOW_REMOTE = yes: expected true or false'],
    [
      'a mistyped key',
      { ...none, file: { 'default-partition': 3 } },
      'default-partition in the configuration file = 3: there is no such setting; did you mean default-partitions?'
    ]
  ])('%s', (_name, sources, message) => {
    expect(() => loadConfig(sources)).toThrowError(new AssayError('INVALID_ARGUMENT', { reason: message }).message)
  })
})

test('every default passes its own row', () => {
  for (const name of settingNames) expect(checkSetting(name, rowOf(name).default, name)).toBe(rowOf(name).default)
})

test.each([
  ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ['[::1]:9092', { host: '::1', port: 9092 }],
  ['localhost:80', { host: 'localhost', port: 80 }]
])('address %s', (text, address) => {
  expect(parseAddress(text, 'x')).toEqual(address)
})

test.each([
  ['127.0.0.1', true],
  ['127.1.2.3', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['', false],
  ['10.0.0.1', false],
  ['127.evil.example', false]
])('loopback %s: %s', (host, answer) => {
  expect(isLoopback(host)).toBe(answer)
})
