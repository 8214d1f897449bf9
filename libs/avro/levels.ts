/** The seven compatibility levels of a registry: which earlier versions a candidate is compared with, and who must read whom. */
import { AssayError } from '@assay/errors'
import { comparisonSteps, type Steps } from './comparison.ts'
import { canRead, compatibility, type Incompatibility, trialsMax } from './compatibility.ts'
import { pairWarnings, warningSteps } from './compatibility-warnings.ts'
import type { Schema } from './schema.ts'
import { schemaWarnings, type Warning, warningsMax } from './schema-warnings.ts'

export const compatibilityLevels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE'
] as const
export type CompatibilityLevel = (typeof compatibilityLevels)[number]

/** A level as clients write it, in any case of letters; undefined when there is no such level. */
export function parseLevel(text: string): CompatibilityLevel | undefined {
  const upper = text.toUpperCase()
  return compatibilityLevels.find(level => level === upper)
}

export interface EarlierVersion {
  readonly version: number
  readonly schema: Schema
  /** Canonical text, as clients are shown it. */
  readonly text: string
}

export interface Finding extends Incompatibility {
  /** The earlier version that the candidate was compared with. */
  readonly version: number
  /** BACKWARD: the candidate cannot read that version; FORWARD: that version cannot read the candidate. */
  readonly direction: 'BACKWARD' | 'FORWARD'
  /** `v5 cannot read v2`. */
  readonly says: string
}

export interface FindingWarning extends Warning {
  /** The newest earlier version that differs so; absent where the warning is about the candidate alone, as is `direction`. */
  readonly version?: number
  /** Who reads: BACKWARD the candidate, FORWARD the earlier version. */
  readonly direction?: 'BACKWARD' | 'FORWARD'
  /** `v5 reads v2`, or `v5` alone. */
  readonly says: string
}

export interface LevelOptions {
  /** The number that the candidate will have. Default: one more than the last. */
  readonly version?: number
  /** How places begin. Default `value`. */
  readonly root?: string
  /** The work that may be done in all; what is left of it is written back, and when nothing is, the answer may lack findings. */
  readonly steps?: Steps
}

/** Characters of all messages: a list of missing symbols may be long, and come again with each version. */
const messageCharsMax = 1024 * 1024
/** After the version that brings them to this many, older ones are not looked at any more: the verdict stands. */
export const findingsMax = 1_000

/**
 * Everything by which `candidate` breaks `level`, newest version first; empty when it may be registered.
 * `earlier` are the live versions in ascending order; a level that is not transitive looks only at the last. Once there is a finding,
 * older versions are left out when the work grows too large. Throws INVALID_SCHEMA when it does so without a finding.
 */
export function checkLevel(
  level: CompatibilityLevel,
  candidate: Schema,
  earlier: readonly EarlierVersion[],
  options: LevelOptions = {}
): Finding[] {
  const own = ownVersion(earlier, options)
  const root = options.root ?? 'value'
  const total = options.steps ?? levelSteps()
  const findings: Finding[] = []
  let chars = 0
  for (const { version, direction, reader, writer } of comparisons(level, candidate, earlier)) {
    const isOlder = findings.length > 0 && findings.at(-1)!.version !== version
    if (isOlder && (findings.length >= findingsMax || chars > messageCharsMax || total.left <= 0)) break
    const changing = direction === 'BACKWARD' ? 'reader' : 'writer'
    const left = Math.max(0, trialsMax - findings.length)
    try {
      const found = spending(total, steps => compatibility(reader, writer, { changing, root, trialsMax: left, steps }))
      for (const one of found) {
        chars += one.message.length
        findings.push({ ...one, version, direction, says: saysCannotRead(direction, own, version) })
      }
    } catch (error) {
      // Too much work for one more finding is no reason to forget the others.
      if (error instanceof AssayError && findings.length > 0) break
      throw error
    }
  }
  return findings
}

/** All comparisons of a candidate together may take as long as three of the longest. */
const levelSteps = (): Steps => ({ left: 3 * comparisonSteps().left })

/** Gives one comparison its share of the total. */
function spending<T>(total: Steps, run: (steps: Steps) => T): T {
  const share = Math.min(total.left, comparisonSteps().left)
  const steps = { left: share }
  try {
    return run(steps)
  } finally {
    total.left -= share - steps.left
  }
}

/** Whether `candidate` keeps `level`: the answer of checkLevel without findings, and it stops at the first version that breaks. Throws INVALID_SCHEMA when the work grows too large. */
export function keepsLevel(level: CompatibilityLevel, candidate: Schema, earlier: readonly EarlierVersion[]): boolean {
  const total = levelSteps()
  for (const { reader, writer } of comparisons(level, candidate, earlier)) {
    if (!spending(total, steps => canRead(reader, writer, { steps }))) return false
  }
  return true
}

/**
 * What `level` lets through although data may change their meaning: first what is doubtful in `candidate` alone, then each difference once,
 * with the newest version that shows it. It compares what checkLevel compares, throws nothing and ends at `warningsMax` and
 * where the work grows too large.
 */
export function levelWarnings(
  level: CompatibilityLevel,
  candidate: Schema,
  earlier: readonly EarlierVersion[],
  options: LevelOptions = {}
): FindingWarning[] {
  const own = ownVersion(earlier, options)
  const root = options.root ?? 'value'
  const warnings: FindingWarning[] = schemaWarnings(candidate, { root }).map(one => ({ ...one, says: own }))
  const told = new Set<string>()
  const steps = warningSteps()
  for (const { version, direction, reader, writer } of comparisons(level, candidate, earlier)) {
    const reads = direction === 'BACKWARD'
    // What differs for one reader differs for the other, too: FULL tells it once.
    if (level.startsWith('FULL') && !reads) continue
    for (const one of pairWarnings(reader, writer, { changing: reads ? 'reader' : 'writer', root }, steps)) {
      const key = JSON.stringify([one.type, one.place, one.reason])
      if (told.has(key)) continue
      told.add(key)
      warnings.push({ ...one, version, direction, says: reads ? `${own} reads v${version}` : `v${version} reads ${own}` })
    }
    if (warnings.length >= warningsMax || steps.left <= 0) break
  }
  return warnings.slice(0, warningsMax)
}

interface Pairing {
  readonly version: number
  readonly direction: Finding['direction']
  readonly reader: Schema
  readonly writer: Schema
}

/** Who must read whom, newest version first. */
function* comparisons(
  level: CompatibilityLevel,
  candidate: Schema,
  earlier: readonly EarlierVersion[]
): IterableIterator<Pairing> {
  if (level === 'NONE') return
  const oldest = level.endsWith('_TRANSITIVE') ? 0 : Math.max(0, earlier.length - 1)
  for (let index = earlier.length - 1; index >= oldest; index--) {
    const { version, schema } = earlier[index]!
    if (!level.startsWith('BACKWARD')) yield { version, direction: 'FORWARD', reader: schema, writer: candidate }
    if (!level.startsWith('FORWARD')) yield { version, direction: 'BACKWARD', reader: candidate, writer: schema }
  }
}

const ownVersion = (earlier: readonly EarlierVersion[], { version }: LevelOptions): string =>
  `v${version ?? (earlier.at(-1)?.version ?? 0) + 1}`

const saysCannotRead = (direction: Finding['direction'], own: string, version: number): string =>
  direction === 'BACKWARD' ? `${own} cannot read v${version}` : `v${version} cannot read ${own}`

/** Findings as plain text for people: a head line each, then both sides, the reason and the way to mend it. */
export function printFindings(findings: readonly Finding[]): string {
  return findings.map(printFinding).join('\n')
}

function printFinding(finding: Finding): string {
  return [
    `${finding.type} at ${finding.place} (${finding.path}): ${finding.says}`,
    `  because ${finding.reason}`,
    `  reader: ${finding.reader}`,
    `  writer: ${finding.writer}`,
    `  mend: ${finding.mend}`
  ].join('\n')
}
