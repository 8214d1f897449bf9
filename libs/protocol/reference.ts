/** Prints docs/reference/apis.md from the declarations. */
import { apis } from './apis/all.ts'
import { NO_VERSION } from './field.ts'

export function renderApis(): string {
  const rows = apis.map(({ key, name, versions, advertised, flexibleSince }) => {
    const told = advertised ? ` (advertised ${advertised.join('-')})` : ''
    return `| ${key} | ${name} | ${versions.join('-')}${told} | ${flexibleSince === NO_VERSION ? '-' : flexibleSince} |`
  })
  return [
    '# Kafka APIs',
    '',
    'Generated from `libs/protocol/apis` by `npm run generate`. What is served, at which versions; flexible: from this version on lengths are compact and',
    'fields may be tagged.',
    '',
    '| key | API | versions | flexible from |',
    '|---|---|---|---|',
    ...rows,
    ''
  ].join('\n')
}
