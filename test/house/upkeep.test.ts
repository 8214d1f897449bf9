import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { generatedFiles } from '../../scripts/generated-files.ts'

const root = join(import.meta.dirname, '../..')
const bin = (name: string): string => join(root, 'node_modules/.bin', name)

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(bin(command), args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' }
  })
  return status === 0 ? '' : `${command} ended with ${status}:\n${stdout}${stderr}`.slice(0, 6000)
}

test('types are right in every room and every test, and no two packages need each other', { timeout: 240_000 }, () => {
  expect(run('tsc', '-b')).toBe('')
})

test('the formatter and the linter have nothing to say', { timeout: 120_000 }, () => {
  expect(run('biome', 'check', '.')).toBe('')
})

test('what is generated is up to date (npm run generate)', async () => {
  const stale = (await generatedFiles(root)).filter(
    ({ path, text }) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text
  )
  expect(stale.map(({ path }) => path)).toEqual([])
})
