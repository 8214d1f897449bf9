/** The whole table, by what it is about. */
import { appendCases } from './append-cases.ts'
import type { Case } from './case.ts'
import { offsetCases } from './offset-cases.ts'
import { sequenceCases } from './sequence-cases.ts'
import { settingCases } from './setting-cases.ts'

export const cases: Readonly<Record<string, readonly Case[]>> = {
  settings: settingCases,
  appends: appendCases,
  sequences: sequenceCases,
  offsets: offsetCases
}
