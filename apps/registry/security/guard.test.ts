/** Every route with no, bad, expired, other people's and right credentials; what is said, what is written down, and what is not read. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { openTokens, operationsOf } from '@assay/security'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { handClock } from '../../../libs/security/time.fixture.ts'
import type { BoundRoute } from '../route.ts'
import { registryRoutes } from '../routes/all.ts'
import { backupRoutes } from '../routes/backup.ts'
import { eventRoutes } from '../routes/events.ts'
import { basic, openSecured, type Reply, type Secured } from './secured.fixture.ts'

type AnyRoute = Pick<BoundRoute, 'method' | 'path' | 'access'>
const operations = operationsOf.registry
const routes: readonly AnyRoute[] = [...registryRoutes, ...eventRoutes, ...backupRoutes]

const clock = handClock()
const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function bearer(sub: string, { lifeS = 600 } = {}): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'https://issuer.test', aud: 'assay', sub, exp: clock.now() / 1000 + lifeS }
  const signed = `${part({ alg: 'ES256', kid: 'k' })}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key: issuer.privateKey, dsaEncoding: 'ieee-p1363' })
  return `Bearer ${signed}.${signature.toString('base64url')}`
}

/** What a route is about here: everything is called `mine`, the schema of `mine` has ID 1. */
const MINE: Record<string, string> = { subject: 'mine', topic: 'mine', context: 'mine', version: '1', id: '1', guid: '' }
const on = (user: string, permission: string, operation: string, name: 'mine' | 'other'): string[] => [
  `${user} ${permission} ${operation} subject ${name}`,
  `${user} ${permission} ${operation} subject :.${name}:`,
  `${user} ${permission} ${operation} topic ${name}`
]
const acls = [
  ...on('other', 'allow', 'all', 'other'),
  ...operations.flatMap(operation => [
    ...on(`only-${operation}`, 'allow', operation, 'mine'),
    `only-${operation} allow ${operation} registry`,
    ...on(`all-but-${operation}`, 'allow', 'all', 'mine'),
    `all-but-${operation} allow all registry`,
    ...on(`all-but-${operation}`, 'deny', operation, 'mine'),
    `all-but-${operation} deny ${operation} registry`
  ]),
  'no-admin-but allow admin subject mine'
]
const users = ['other', 'nobody', ...operations.flatMap(operation => [`only-${operation}`, `all-but-${operation}`])]

let door: Secured

beforeAll(async () => {
  const tokens = await openTokens({
    issuer: 'https://issuer.test',
    audience: 'assay',
    keys: { keys: [{ ...issuer.publicKey.export({ format: 'jwk' }), kid: 'k' }] },
    algorithms: ['ES256'],
    principalClaim: 'sub',
    clock
  })
  door = await openSecured({ users, acls, tokens })
  await door.registry.register('mine', { schema: '"int"' })
  await door.registry.register('other', { schema: '"string"' })
  MINE['guid'] = (await door.registry.lookUp('mine', { schema: '"int"' })).guid
})

afterAll(() => door.close())

const urlOf = (path: string): string => path.replace(/:(\w+)/g, (_all, name: string) => MINE[name]!)
/** Nothing that a route would take: whoever is let in is told so, and nothing is changed by it. */
const ask = ({ method, path }: AnyRoute, headers: Record<string, string>): Promise<Reply> =>
  door.ask(`${method} ${urlOf(path)}`, { headers, ...((method === 'POST' || method === 'PUT') && { body: '[' }) })
const isLetIn = ({ status }: Reply): boolean => status < 500 && ![401, 403, 429].includes(status)

const named = routes.map(route => ({ ...route, name: `${route.method} ${route.path} (${route.access})` }))
const guarded = named.filter(({ access }) => access !== 'open')

describe('every route', () => {
  test('is in this table', () => {
    expect(new Set(named.map(({ name }) => name)).size).toBe(named.length)
    expect(named.length).toBeGreaterThanOrEqual(47)
    const open = named.filter(({ access }) => access === 'open').map(({ path }) => path)
    expect(open.sort()).toEqual(['/', '/_health', '/health', '/master_available'])
  })

  test.each(named.filter(({ access }) => access === 'open'))('$name answers everybody', async route => {
    for (const headers of [{}, { authorization: basic('nobody', 'wrong') }, { authorization: 'nonsense' }] as const) {
      expect((await ask(route, { ...headers })).status).toBe(200)
    }
  })

  const bad: [name: string, header: () => string | undefined][] = [
    ['no credentials', () => undefined],
    ['a wrong password', () => basic('only-read', 'wrong')],
    ['an unknown user', () => basic('stranger')],
    ['a header that is neither', () => 'Negotiate abc'],
    ['a header without anything in it', () => 'Basic '],
    ['an expired token', () => bearer('only-read', { lifeS: -60 })],
    [
      'a token that was changed',
      () => bearer('only-read').replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"root"}').toString('base64url')}.`)
    ]
  ]
  describe.each(bad)('with %s is refused with 401', (_name, header) => {
    test.each(guarded)('$name', async route => {
      const authorization = header()
      const { status, headers, body } = await ask(route, { ...(authorization && { authorization }) })
      expect(status).toBe(401)
      expect(body).toEqual({ error_code: 40101, message: expect.stringMatching(/^Not authenticated: /) })
      expect(String(headers['www-authenticate'])).toContain('Basic realm="assay", charset="UTF-8"')
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    })
  })

  test.each(guarded.filter(({ access }) => access === 'listed'))('$name answers whoever is known', async route => {
    for (const user of ['nobody', 'other']) expect((await ask(route, { authorization: basic(user) })).status).toBe(200)
  })

  const judged = guarded.filter(({ access }) => access !== 'listed')
  describe.each(['nobody', 'other'])('with the credentials of %s is refused with 403', user => {
    test.each(judged)('$name', async route => {
      const { status, body, message } = await ask(route, { authorization: basic(user) })
      expect(status).toBe(403)
      expect(body).toEqual({ error_code: 40301, message: expect.any(String) })
      expect(message).toMatch(new RegExp(`^User:${user} may not ${route.access} (the registry|subject '|topic '|schema )`))
      expect(message).toContain(`assay acl add User:${user} ${route.access} `)
    })
  })

  test.each(judged)('$name takes the operation that it declares, and no other', async route => {
    expect(isLetIn(await ask(route, { authorization: basic(`only-${route.access}`) }))).toBe(true)
    expect((await ask(route, { authorization: basic(`all-but-${route.access}`) })).status).toBe(403)
    for (const operation of operations) {
      // Admin is the whole of a resource.
      const isEnough = operation === route.access || operation === 'admin'
      expect(isLetIn(await ask(route, { authorization: basic(`only-${operation}`) })), `only ${operation}`).toBe(isEnough)
    }
  })

  test.each(judged)('$name takes a token', async route => {
    expect(isLetIn(await ask(route, { authorization: bearer(`only-${route.access}`) }))).toBe(true)
    expect((await ask(route, { authorization: bearer('other') })).status).toBe(403)
  })

  test.each(judged)('$name is judged before its body is read, and its HEAD like its GET', async route => {
    const headers = { authorization: basic('other'), 'content-type': 'text/plain', accept: 'image/png' }
    const { status } = await door.ask(`${route.method} ${urlOf(route.path)}`, { headers, body: 'x'.repeat(11 * 1024 * 1024) })
    expect(status).toBe(403)
    if (route.method === 'GET')
      expect((await ask({ ...route, method: 'HEAD' as 'GET' }, { authorization: basic('other') })).status).toBe(403)
  })
})

describe('a path', () => {
  // The table above has deleted them.
  beforeAll(async () => {
    await door.registry.register('mine', { schema: '"int"' })
    await door.registry.register('other', { schema: '"string"' })
  })

  test('that is not there is told only to those who are known', async () => {
    for (const line of ['GET /nowhere', 'PATCH /subjects', 'POST /subjects/mine/versions/1']) {
      expect((await door.ask(line)).status).toBe(401)
      expect([404, 405]).toContain((await door.ask(line, { user: 'nobody' })).status)
    }
  })

  const spellings: [line: string, user: string, status: number][] = [
    ['GET /subjects/mine/versions', 'only-read', 200],
    ['GET /subjects/mine/versions/', 'only-read', 200],
    ['GET /%73ubjects/other/versions', 'only-read', 403],
    ['GET /subjects/%6Fther/versions', 'only-read', 403],
    ['GET /subjects/:.:other/versions', 'only-read', 403],
    ['GET /subjects/:.:mine/versions', 'only-read', 200],
    ['GET /%73ubjects/:.:mine/versions', 'only-read', 404],
    ['GET /contexts/:.:/subjects/other/versions', 'only-read', 403],
    ['GET /contexts/.mine/subjects/mine/versions', 'only-read', 403],
    ['GET /config/:.:', 'only-read', 200],
    ['GET /config/:.:', 'other', 403],
    ['PUT /config/:.__GLOBAL:', 'other', 403],
    ['PUT /%63onfig/:.:', 'other', 403],
    ['PUT /config/:.mine:', 'only-config', 400],
    ['PUT /config/:.mine:', 'other', 403],
    ['PUT /contexts/.mine/config', 'only-config', 400],
    ['PUT /contexts/.other/config', 'only-config', 403],
    ['DELETE /contexts/:.:', 'other', 403],
    ['GET /schemas/ids/1', 'other', 403],
    ['GET /schemas/ids/1.0', 'other', 403],
    ['GET /schemas/ids/01', 'other', 403],
    ['GET /schemas/ids/0x1', 'other', 403],
    ['GET /schemas/ids/1e0', 'other', 403],
    ['GET /schemas/ids/%201', 'other', 403],
    ['GET /schemas/ids/x', 'other', 404],
    ['GET /schemas/ids/99', 'nobody', 404],
    ['GET /schemas/ids/2?subject=mine', 'other', 403],
    ['GET /schemas/ids/1?subject=mine', 'only-read', 200],
    ['GET /schemas/ids/1?subject=other', 'only-read', 403],
    ['GET /schemas/ids/1?subject=mine&subject=other', 'only-read', 403],
    ['GET /schemas/ids/1?subject=:.:', 'other', 403],
    ['GET /schemas/ids/2?subject=:.:', 'other', 200]
  ]
  test.each(spellings)('%s by %s is answered with %i', async (line, user, status) => {
    const hasBody = line.startsWith('P')
    expect((await door.ask(line, { user, ...(hasBody && { body: '[' }) })).status).toBe(status)
  })
})

describe('what is said', () => {
  const deniedTo = async (user: string, line: string): Promise<string> => (await door.ask(line, { user, body: {} })).message

  test('names who, what, and the ACL that is missing', async () => {
    expect(await deniedTo('nobody', 'POST /subjects/mine/versions')).toBe(
      "User:nobody may not write subject 'mine': no ACL allows it; one that does: assay acl add User:nobody write subject mine"
    )
    expect(await deniedTo('nobody', 'PUT /mode')).toBe(
      'User:nobody may not admin the registry: no ACL allows it; one that does: assay acl add User:nobody admin registry'
    )
    expect(await deniedTo('nobody', "PUT /config/it's%20mine")).toContain(
      "assay acl add User:nobody config subject 'it'\\''s mine'"
    )
  })

  test('tells an ACL that denies from one that is missing', async () => {
    expect(await deniedTo('all-but-write', 'POST /subjects/mine/versions')).toBe(
      "User:all-but-write may not write subject 'mine': an ACL denies it; see: assay acl list --principal User:all-but-write"
    )
  })

  test('does not name subjects that he may not read', async () => {
    const said = await deniedTo('other', 'GET /schemas/ids/1')
    expect(said).toMatch(/^User:other may not read schema ID 1: /)
    expect(said).not.toContain('mine')
  })

  test('to one with a bad token is what RFC 6750 has for it', async () => {
    const { headers, message } = await door.ask('GET /subjects', { headers: { authorization: bearer('x', { lifeS: -60 }) } })
    expect(headers['www-authenticate']).toEqual([
      'Basic realm="assay", charset="UTF-8"',
      'Bearer realm="assay", error="invalid_token"'
    ])
    expect(message).toBe('Not authenticated: the token has expired')
  })
})

describe('the audit', () => {
  test('has every write, every denial and every failed log-in, and nothing else', async () => {
    const { audited } = door
    audited.length = 0
    const requestIds: unknown[] = []
    const at = async (line: string, options: Parameters<Secured['ask']>[1]): Promise<void> => {
      requestIds.push((await door.ask(line, { address: '10.7.7.7', ...options })).headers['x-request-id'])
    }
    await at('GET /subjects/mine/versions', { user: 'only-read' })
    await at('POST /subjects/mine/versions', { user: 'only-write', body: { schema: '"int"' } })
    await at('POST /subjects/mine/versions', { user: 'only-write', body: { schema: '{' } })
    await at('PUT /config/mine?secret=x', { user: 'other', body: { compatibility: 'NONE' } })
    await at('GET /subjects/mine/versions', { user: 'other' })
    await at('GET /subjects', { headers: { authorization: basic('only-read', 'wrong') } })
    for (let n = 0; n < 3; n++) await at('DELETE /subjects/mine', {})
    const same = { address: '10.7.7.7', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/), atMs: door.clock.now() }
    const mine = { type: 'subject', name: 'mine' }
    const post = 'POST /subjects/mine/versions'
    expect(audited).toEqual([
      {
        ...same,
        principal: 'User:only-write',
        request: post,
        operation: 'write',
        resource: mine,
        outcome: 'allowed',
        errorCode: null
      },
      {
        ...same,
        principal: 'User:only-write',
        request: post,
        operation: 'write',
        resource: mine,
        outcome: 'allowed',
        errorCode: 42201
      },
      {
        ...same,
        principal: 'User:other',
        request: 'PUT /config/mine',
        operation: 'config',
        resource: mine,
        outcome: 'denied',
        errorCode: 40301
      },
      {
        ...same,
        principal: 'User:other',
        request: 'GET /subjects/mine/versions',
        operation: 'read',
        resource: mine,
        outcome: 'denied',
        errorCode: 40301
      },
      {
        ...same,
        principal: 'User:only-read',
        request: 'GET /subjects',
        operation: null,
        resource: null,
        outcome: 'failed',
        errorCode: 40101
      },
      // Who brings nothing is written down once a minute: he could fill the topic.
      {
        ...same,
        principal: 'User:ANONYMOUS',
        request: 'DELETE /subjects/mine',
        operation: 'delete',
        resource: null,
        outcome: 'denied',
        errorCode: 40101
      }
    ])
    expect(audited.slice(1).map(({ requestId }) => requestId)).toEqual(requestIds.slice(2, 7))
  })
})

test('passwords cannot be tried out, and those who are known are not hindered', async () => {
  const own = await openSecured({ users: ['anna', 'bert'], acls: ['* allow read subject s'], failuresMax: 3 })
  expect((await own.ask('GET /subjects', { user: 'bert' })).status).toBe(200)
  const guess = (password: string) => own.ask('GET /subjects', { headers: { authorization: basic('anna', password) } })
  expect([(await guess('1')).status, (await guess('2')).status, (await guess('3')).status]).toEqual([401, 401, 401])
  const refused = await own.ask('GET /subjects', { user: 'anna' })
  expect([refused.status, refused.body, refused.headers['retry-after']]).toEqual([
    429,
    { error_code: 42901, message: 'Too many log-ins from 10.0.0.1; try again in 60 s' },
    '60'
  ])
  await own.ask('GET /subjects', { user: 'anna' })
  expect(own.audited.map(({ errorCode }) => errorCode)).toEqual([40101, 40101, 40101, 42901])
  expect((await own.ask('GET /subjects', { user: 'bert' })).status).toBe(200)
  expect((await own.ask('GET /subjects', { user: 'anna', address: '10.0.0.2' })).status).toBe(200)
  own.clock.advance(60_000)
  expect((await own.ask('GET /subjects', { user: 'anna' })).status).toBe(200)
  await own.close()
})

test('a changed file is in force at once, and a superuser may do everything', async () => {
  const own = await openSecured({ users: ['anna', 'root'], acls: [] })
  expect((await own.ask('GET /subjects/s/versions', { user: 'anna' })).status).toBe(403)
  expect((await own.ask('GET /subjects/s/versions', { user: 'root' })).status).toBe(404)
  await own.change(['anna allow read subject s', 'root deny all subject *'])
  expect((await own.ask('GET /subjects/s/versions', { user: 'anna' })).status).toBe(404)
  expect((await own.ask('GET /subjects/s/versions', { user: 'root' })).status).toBe(404)
  await own.change([])
  expect((await own.ask('GET /subjects/s/versions', { user: 'anna' })).status).toBe(403)
  await own.close()
})
