/** What ACLs allow: deny before allow, literal, prefixed, and for everybody. */
import { describe, expect, test } from 'vitest'
import { type Acl, compileRights, superRights } from './acl.ts'
import type { Operation, ResourceType } from './operation.ts'

/** `allow read subject orders-*`: a star at the end is a prefix, alone it is every name. */
function acl(text: string): Acl {
  const [permission, operation, resource, name = ''] = text.split(' ') as [
    Acl['permission'],
    Acl['operation'],
    ResourceType,
    string
  ]
  const isPrefixed = name.length > 1 && name.endsWith('*')
  return {
    principal: 'User:anna',
    permission,
    operation,
    resource,
    pattern: isPrefixed ? 'prefixed' : 'literal',
    name: isPrefixed ? name.slice(0, -1) : name
  }
}

const rows: [name: string, acls: string[], allowed: string[], refused: string[]][] = [
  ['nothing', [], [], ['read subject orders', 'read registry registry']],
  ['one name', ['allow read subject orders'], ['read subject orders'], ['read subject orders-2', 'write subject orders']],
  [
    'a prefix',
    ['allow write subject orders-*'],
    ['write subject orders-value', 'write subject orders-'],
    ['write subject orders', 'read subject orders-value']
  ],
  ['every name', ['allow read subject *'], ['read subject x', 'read subject :.c:x'], ['read topic x', 'read registry registry']],
  ['a star inside a literal name is a letter', ['allow read subject a*b'], ['read subject a*b'], ['read subject axb']],
  [
    'deny goes before allow, in either order',
    ['allow read subject *', 'deny read subject pay-*', 'allow read subject pay-public'],
    ['read subject orders'],
    ['read subject pay-roll', 'read subject pay-public']
  ],
  [
    'deny of one operation leaves the others',
    ['allow all subject orders', 'deny delete subject orders'],
    ['read subject orders', 'write subject orders', 'config subject orders', 'admin subject orders'],
    ['delete subject orders']
  ],
  [
    'admin allows every operation',
    ['allow admin subject orders'],
    ['read subject orders', 'delete subject orders', 'config subject orders'],
    ['read subject other']
  ],
  [
    'admin denied takes only itself',
    ['allow all subject orders', 'deny admin subject orders'],
    ['config subject orders'],
    ['admin subject orders']
  ],
  ['all denied is all', ['allow all subject *', 'deny all subject x'], ['read subject y'], ['read subject x', 'admin subject x']],
  ['writing is not reading', ['allow write subject orders'], ['write subject orders'], ['read subject orders']],
  [
    'two ACLs on a name add up',
    ['allow read topic t', 'allow write topic t'],
    ['read topic t', 'write topic t'],
    ['delete topic t']
  ],
  ["names of Object's own", ['allow read subject __proto__'], ['read subject __proto__'], ['read subject constructor']],
  [
    'a context',
    ['allow read subject :.sales:*'],
    ['read subject :.sales:orders', 'read subject :.sales:'],
    ['read subject orders']
  ]
]

describe('rights', () => {
  test.each(rows)('%s', (_name, acls, allowed, refused) => {
    const rights = compileRights(acls.map(acl))
    const may = (text: string) => rights.may(...(text.split(' ') as [Operation, ResourceType, string]))
    expect(allowed.filter(text => !may(text))).toEqual([])
    expect(refused.filter(may)).toEqual([])
  })

  test('say whether an ACL denies or none allows', () => {
    const rights = compileRights([acl('allow read subject a*'), acl('deny read subject ab')])
    expect(['a', 'ab', 'b'].map(name => rights.verdict('read', 'subject', name))).toEqual(['allowed', 'denied', 'none'])
  })

  test('of a superuser are not touched by any ACL', () => {
    expect(superRights.may('admin', 'registry', 'registry')).toBe(true)
  })
})

describe("Kafka's rules", () => {
  const rights = (...acls: string[]) => compileRights(acls.map(acl))

  test.each([
    ['read', true],
    ['write', true],
    ['delete', true],
    ['alter', true],
    ['create', false],
    ['describe-configs', false]
  ] as const)('who may %s a topic may describe it: %s', (operation, may) => {
    expect(rights(`allow ${operation} topic t`).may('describe', 'topic', 't')).toBe(may)
  })

  test('what is denied does not deny what would have been implied', () => {
    const { may } = rights('allow describe topic t', 'deny read topic t', 'allow alter-configs topic t')
    expect([may('describe', 'topic', 't'), may('read', 'topic', 't'), may('describe-configs', 'topic', 't')]).toEqual([
      true,
      false,
      true
    ])
  })

  test.each<[string, string[], boolean]>([
    ['nothing', [], false],
    ['one topic', ['allow write topic t'], true],
    ['one topic that is denied', ['allow write topic t', 'deny write topic t'], false],
    ['one topic that is denied by a prefix', ['allow write topic t-1', 'deny write topic t-*'], false],
    ['every topic but one', ['allow write topic *', 'deny write topic t'], true],
    ['a prefix but for one name', ['allow write topic t-*', 'deny write topic t-'], true],
    ['a prefix under one that is denied', ['allow write topic t-1*', 'deny write topic t-*'], false],
    ['every topic, and every one is denied', ['allow write topic *', 'deny all topic *'], false],
    ['another operation', ['allow read topic t'], false]
  ])('whether he may write to any topic, with %s', (_name, acls, may) => {
    expect(rights(...acls).mayAny('write', 'topic')).toBe(may)
  })
})
