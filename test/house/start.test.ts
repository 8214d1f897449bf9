import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const assay = join(import.meta.dirname, '../../apps/cli/bin/assay.js')

/** Prints the URL of every module that was loaded, when the process ends. */
const hook = `
  import { registerHooks } from 'node:module'
  const urls = []
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
  process.on('exit', () => process.stdout.write('\\n' + JSON.stringify(urls)))
`

/** The npm packages and the project's own files that the help of a verb loads: all that the verb stands on. */
function loadedBy(verb: string): { readonly packages: ReadonlySet<string>; readonly modules: number } {
  // By the environment: the command starts itself again with flags of its own.
  const env = { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` }
  const { status, stdout, stderr } = spawnSync(process.execPath, [assay, verb, '--help'], { encoding: 'utf8', env })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const urls = JSON.parse(stdout.slice(stdout.lastIndexOf('\n'))) as string[]
  const packages = urls.map(url => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]).filter(name => name !== undefined)
  return { packages: new Set(packages), modules: urls.length }
}

test('a server starts without what only other verbs, or a first use, ask for', () => {
  const { packages, modules } = loadedBy('serve')
  expect([...packages]).toEqual(expect.arrayContaining(['fastify', 'level', 'pino', 'commander']))
  for (const name of ['@platformatic/kafka', 'typebox', 'ajv', 'yaml', 'snappy', 'lz4-napi', 'zstddec', 'typescript']) {
    expect([...packages]).not.toContain(name)
  }
  // Each costs time and memory at every start: before this number is raised, see what came in.
  expect(modules).toBeLessThan(760)
})
