import { describe, expect, test } from 'vitest'
import {
  emptySubject,
  type IdSighting,
  idAnomalies,
  type JournalStep,
  journalAnomalies,
  type Operation,
  type SubjectState,
  type SubjectStep,
  subjectAnomalies,
  unwrittenAnomalies
} from './registry-history.ts'

function expectSaid(said: readonly string[], anomalies: readonly RegExp[]): void {
  expect(said.length, said.join('\n')).toBe(anomalies.length)
  for (const [index, pattern] of anomalies.entries()) expect(said[index]).toMatch(pattern)
}

/** `1a#7 2b#8- FULL !READONLY` is a live version 1, a deleted version 2, a level and a mode. */
function stateOf(text: string): SubjectState {
  const words = text.split(' ').filter(word => word !== '')
  const versions = words.flatMap(word => {
    const [, version, content, schemaId, deleted] = /^(\d+)([a-z])#(\d+)(-?)$/.exec(word) ?? []
    return version === undefined
      ? []
      : [{ version: Number(version), content: content!, schemaId: Number(schemaId), deleted: deleted === '-' }]
  })
  return {
    ...emptySubject,
    versions,
    level: words.find(word => /^[A-Z]/.test(word)),
    mode: words.find(word => word.startsWith('!'))?.slice(1)
  }
}

const operations: Readonly<Record<string, (text: string) => Operation>> = {
  register: content => ({ type: 'register', content }),
  soft: version => ({ type: 'delete version', version: Number(version), permanent: false }),
  hard: version => ({ type: 'delete version', version: Number(version), permanent: true }),
  softall: () => ({ type: 'delete subject', permanent: false }),
  hardall: () => ({ type: 'delete subject', permanent: true }),
  level: level => ({ type: 'set level', level: level || undefined }),
  mode: mode => ({ type: 'set mode', mode: mode || undefined })
}

/** `register:a=7` was told schema ID 7, `soft:1=` acknowledged, `soft:1?` unanswered, `soft:1!` refused; `(…)` is what was seen. */
function historyOf(text: string): SubjectStep[] {
  return [...text.matchAll(/\(([^)]*)\)|(\w+):(\w*)([=?!])(\d*)/g)].map(([, seen, verb, argument, outcome, id]): SubjectStep => {
    if (seen !== undefined) return { saw: stateOf(seen) }
    const did = operations[verb!]!(argument!)
    if (outcome === '?') return { did, outcome: { type: 'unanswered' } }
    if (outcome === '!') return { did, outcome: { type: 'refused', code: 422 } }
    return { did, outcome: { type: 'acknowledged', ...(id !== '' && { schemaId: Number(id) }) } }
  })
}

describe('a subject', () => {
  test.each<[string, string, RegExp[]]>([
    ['holds what was acknowledged', 'register:a=1 (1a#1) register:b=2 (1a#1 2b#2)', []],
    ['answers the same again', 'register:a=1 register:a=1 (1a#1)', []],
    ['may hold what was not answered', 'register:a? (1a#1)', []],
    ['or not', 'register:a? ()', []],
    ['whichever it was, it stays so', 'register:a? () (1a#1)', [/^back: version 1 with a is there/]],
    ['two unanswered, the second without the first', 'register:a? register:b? (1b#1)', []],
    ['lost a version', 'register:a=1 ()', [/^lost: version 1 with a is gone \(subject s\)/]],
    ['lost a version that was seen', 'register:a? (1a#1) ()', [/^lost: version 1/]],
    ['holds another schema', 'register:a=1 (1b#1)', [/^replaced: version 1 with a is b now/]],
    ['changed an ID', 'register:a=1 (1a#2)', [/^changed: version 1 with a had schema ID 1 and has 2/]],
    [
      'answers another ID',
      'register:a=1 register:a=2',
      [/^impossible: to register a was acknowledged with schema ID 2 when .*1:a#1/]
    ],
    ['keeps the ID of what is deleted softly', 'register:a=1 soft:1= register:a=1 (2a#1)', []],
    ['and does not give another', 'register:a=1 soft:1= register:a=2', [/^impossible: to register a/]],
    ['gives another after a hard delete', 'register:a=1 soft:1= hard:1= () register:a=2 (1a#2)', []],
    ['counts on after a soft delete', 'register:a=1 softall:= (1a#1-) register:b=2 (1a#1- 2b#2)', []],
    ['shows a deleted version', 'register:a=1 soft:1= (1a#1)', [/^back: version 1 with a was deleted and is live/]],
    ['shows one that was deleted for ever', 'register:a=1 softall:= hardall:= (1a#1-)', [/^back: version 1 with a is there/]],
    ['deleted by itself', 'register:a=1 (1a#1-)', [/^hidden: version 1 with a is deleted/]],
    ['may be deleted when that was not answered', 'register:a=1 soft:1? (1a#1-) hard:1? ()', []],
    [
      'refuses what must be refused',
      'soft:1! softall:! register:a=1 hard:1! hardall:! level:! mode:! soft:1= soft:1! softall:!',
      []
    ],
    ['refuses what must not be', 'register:a!', [/^impossible: to register a was refused with 422 when subject s was \[\]/]],
    ['takes what must be refused', 'register:a=1 hard:1=', [/^impossible: to delete version 1 for ever was acknowledged/]],
    ['holds its level', 'level:FULL= (FULL) level:NONE? (NONE) level:= ()', []],
    ['forgot its level', 'level:FULL= ()', [/^forgotten: the level was FULL and is not set/]],
    ['has a level back', 'level:FULL= level:= (FULL)', [/^forgotten: the level was not set and is FULL/]],
    ['holds its mode', 'mode:READONLY= register:a! (!READONLY) mode:READWRITE= register:a=1 (1a#1 !READWRITE)', []],
    ['answers what is live in any mode', 'register:a=1 mode:READONLY= register:a=1 register:b! (1a#1 !READONLY)', []],
    ['forgot its mode', 'mode:READONLY= register:a=1', [/^impossible: to register a was acknowledged .* when .*\[READONLY\]/]],
    ['loses its settings with its last version', 'level:FULL= register:a=1 soft:1= (1a#1- FULL) hard:1= ()', []],
    ['keeps them with its last but one', 'level:FULL= register:a=1 register:b=2 soft:1= hard:1= (2b#2 FULL)', []],
    ['is told of each anomaly once', 'register:a=1 () () register:b=2 (1b#2)', [/^lost/]]
  ])('%s', (_name, text, anomalies) => {
    expectSaid(subjectAnomalies('s', historyOf(text)), anomalies)
  })
})

const ids = (text: string): IdSighting[] =>
  text.split(' ').map(word => ({ schemaId: Number(word.slice(1)), content: word.slice(0, 1) }))

describe('schema IDs', () => {
  test.each<[string, string, RegExp[]]>([
    ['stay', 'a1 b2 a1 c3 b2', []],
    ['may be new for the same schema after a hard delete', 'a1 b2 a3', []],
    ['are given to another', 'a1 b2 c1 c1', [/^reused: schema ID 1 was a and is c/]]
  ])('%s', (_name, text, anomalies) => {
    expectSaid(idAnomalies(ids(text)), anomalies)
  })
})

const journal = (text: string): JournalStep[] =>
  text.split(' ').map(word => (word.startsWith('max') ? { maxId: Number(word.slice(3)) } : ids(word)[0]!))

describe('the journal', () => {
  test.each<[string, string, RegExp[]]>([
    ['gives ever higher IDs', 'a1 b2 a1 c3', []],
    ['leaves some out', 'a1 max5 b6', []],
    ['gives a lower one', 'a1 c3 b2', [/^given again: schema ID 2 is new for b .* 3 had been given/]],
    ['gives one again that was deleted for ever', 'a1 max2 b2', [/^given again: schema ID 2/]],
    ['gives one a second meaning', 'a1 b1', [/^reused: schema ID 1/]]
  ])('%s', (_name, text, anomalies) => {
    expectSaid(journalAnomalies(journal(text)), anomalies)
  })

  test.each<[string, string, string, RegExp[]]>([
    ['holds what was told', 'a1 b2 a1', 'a1 b2 c3', []],
    ['holds it not', 'a1 b2 b2', 'a1 max5', [/^lost: schema ID 2 was told/]]
  ])('%s', (_name, told, written, anomalies) => {
    expectSaid(unwrittenAnomalies(ids(told), journal(written)), anomalies)
  })
})
