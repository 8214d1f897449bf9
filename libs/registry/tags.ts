/** Tags inside a registered schema: a change of them is a registration of the text that has them. */
import type { SchemaTags } from '@assay/avro'
import { AssayError } from '@assay/errors'
import type { Plan } from './changes.ts'
import { checkRuleSet, type Metadata, type RuleSet } from './content.ts'
import { findVersion } from './queries.ts'
import { planRegistration, type Registration, type Underway } from './register.ts'
import { type Means, mergedRuleSets, withVersion } from './request.ts'
import { latestOf, type State } from './subjects.ts'

export interface TagChange {
  /** The number that the new version must get; the next when absent. */
  readonly newVersion?: number
  readonly tagsToAdd?: readonly SchemaTags[]
  readonly tagsToRemove?: readonly SchemaTags[]
  /** In place of that of the version. */
  readonly metadata?: Metadata
  /** In place of that of the latest version; not together with the two below. */
  readonly ruleSet?: RuleSet
  /** Rules put over those of the version before, and names of rules that go. */
  readonly rulesToMerge?: RuleSet
  readonly rulesToRemove?: readonly string[]
}

/** Fails with SUBJECT_NOT_FOUND, VERSION_NOT_FOUND, INVALID_SCHEMA for an entity that is not there, INVALID_RULE_SET, and as a registration. */
export function planTags(
  state: State,
  subject: string,
  number: number | 'latest',
  change: TagChange,
  { underway, ...means }: Means & { readonly underway: Underway }
): Plan<Registration> {
  const { schema } = findVersion(state, subject, number)
  const { newVersion = 0, tagsToAdd = [], tagsToRemove = [] } = change
  const ruleSet = changedRules(state, subject, change)
  return planRegistration(
    state,
    subject,
    {
      schema: schema.text,
      schemaType: schema.schemaType,
      references: schema.references,
      metadata: withVersion(change.metadata ?? schema.metadata, newVersion),
      ...(ruleSet && { ruleSet }),
      version: newVersion,
      schemaTagsToAdd: tagsToAdd,
      schemaTagsToRemove: tagsToRemove
    },
    { ...means, normalize: false, force: false },
    underway
  )
}

function changedRules(state: State, subject: string, { ruleSet, rulesToMerge, rulesToRemove }: TagChange): RuleSet | undefined {
  if (rulesToMerge === undefined && rulesToRemove === undefined) return ruleSet
  if (ruleSet !== undefined) {
    throw new AssayError('INVALID_RULE_SET', { reason: 'ruleSet should be omitted if specifying rulesToMerge or rulesToRemove' })
  }
  if (rulesToMerge) checkRuleSet(rulesToMerge)
  const merged = mergedRuleSets(latestOf(state, subject)?.schema.ruleSet, rulesToMerge)
  if (merged === undefined || rulesToRemove === undefined) return merged
  const { migrationRules, domainRules, encodingRules, enableAt } = merged
  const stays = ({ name = '' }: { readonly name?: string }): boolean => !rulesToRemove.includes(name)
  return {
    ...(migrationRules && { migrationRules: migrationRules.filter(stays) }),
    ...(domainRules && { domainRules: domainRules.filter(stays) }),
    ...(encodingRules && { encodingRules: encodingRules.filter(stays) }),
    ...(enableAt !== undefined && { enableAt })
  }
}
