/** Prints docs/reference/settings.md from the table. */
import { type Group, keyOf, rowOf, settingNames, variableOf } from './settings.ts'

const titles: Record<Group, string> = {
  server: 'The server',
  security: 'Security',
  client: 'The command line as a client',
  kafka: 'Kafka connections',
  http: 'HTTP',
  log: 'The log',
  groups: 'Consumer groups',
  transactions: 'Transactions',
  topics: 'Topics'
}

export function renderSettings(): string {
  const parts = [
    '# Settings',
    '',
    'Generated from `libs/config/settings.ts` by `npm run generate`. Order: flag, variable, key in `assay.yaml`, default.',
    ''
  ]
  for (const [group, title] of Object.entries(titles)) {
    parts.push(`## ${title}`, '', '| flag and key | variable | default | unit | what |', '|---|---|---|---|---|')
    for (const name of settingNames) {
      const row = rowOf(name)
      if (row.group !== group) continue
      const bounds = row.choices ? ` One of ${row.choices.join(', ')}.` : ''
      const fallback = row.default === '' ? '' : `\`${row.default}\``
      parts.push(`| \`--${keyOf(name)}\` | \`${variableOf(name)}\` | ${fallback} | ${row.unit} | ${row.says}${bounds} |`)
    }
    parts.push('')
  }
  return parts.join('\n')
}
