/** What the command says of itself: its help as golden files (`npx vitest run test/conformance/cli -u` writes them), and completion from it. */
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { assayCommand } from '../../../apps/cli/main.ts'
import { temporaryDirectory } from '../../served.ts'
import { commandLine } from './command.ts'

const golden = join(import.meta.dirname, 'golden')
const assay = await assayCommand()

/** The help of a command and of all below it, as a terminal of 80 columns shows it. */
function helpOf(command: Command): string {
  return [command.helpInformation(), ...command.commands.map(helpOf)].join('\n')
}

test('assay --help', async () => {
  await expect(assay.helpInformation()).toMatchFileSnapshot(join(golden, 'assay.txt'))
})

test.each(assay.commands.map(command => [command.name(), command] as const))('assay %s --help', async (name, command) => {
  await expect(helpOf(command)).toMatchFileSnapshot(join(golden, `${name}.txt`))
})

test('every golden file is of a verb', () => {
  const verbs = ['assay', ...assay.commands.map(command => command.name())]
  expect(readdirSync(golden).sort()).toEqual(verbs.map(name => `${name}.txt`).sort())
})

test('every verb that prints results takes -o, and every one that asks a server its address', () => {
  const leaves = (command: Command): Command[] => (command.commands.length > 0 ? command.commands.flatMap(leaves) : [command])
  for (const command of assay.commands.filter(command => command.name() !== 'completion').flatMap(leaves)) {
    const flags = command.options.map(({ long }) => long)
    for (const flag of ['--output', '--registry', '--bootstrap']) expect(flags, command.name()).toContain(flag)
  }
})

test('a reader that has enough ends the command quietly', () => {
  const main = join(import.meta.dirname, '../../../apps/cli/main.ts')
  const call = `for i in 1 2; do "$0" --conditions=source "$1" completion fish; done | head -n 1`
  const { stdout, stderr } = spawnSync('sh', ['-c', call, process.execPath, main], { encoding: 'utf8' })
  expect(stdout.split('\n')).toHaveLength(2)
  expect(stderr).toBe('')
})

describe('completion', () => {
  const { run } = commandLine(() => ({ http: 'http://127.0.0.1:9', kafka: '127.0.0.1:9' }), { ownProcess: true })

  test.each(['bash', 'zsh', 'fish'])('for %s names verbs and flags', async shell => {
    const { code, out } = await run(['completion', shell])
    expect(code).toBe(0)
    for (const word of ['register', 'topic', 'import', 'references', 'bootstrap', 'registry', 'output'])
      expect(out).toContain(word)
  })

  const hasBash = spawnSync('bash', ['--version']).status === 0
  test.skipIf(!hasBash)('in bash offers what can stand there', async () => {
    const script = join(temporaryDirectory(), 'completion.bash')
    writeFileSync(script, (await run(['completion', 'bash'])).out)
    const offered = (...words: string[]): string[] => {
      const call = `source "$0"; COMP_WORDS=(assay "$@"); COMP_CWORD=$#; _assay; printf '%s\\n' "\${COMPREPLY[@]}"`
      return spawnSync('bash', ['-c', call, script, ...words], { encoding: 'utf8' })
        .stdout.trim()
        .split('\n')
    }
    expect(offered('sch')).toEqual(['schema'])
    expect(offered('config', '')).toEqual(expect.arrayContaining(['get', 'set', 'unset']))
    expect(offered('schema', '--registry', 'http://a', 'get', '--te')).toEqual(['--text'])
    expect(offered('subject', 'list', '-o', '')).toEqual(['table', 'json', 'yaml'])
    expect(offered('export', '--bootstrap-u')).toEqual(['--bootstrap-user'])
  })
})
