/** Virtual environments of Python clients: each made once in the project's cache by the ordinary package client. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const cache = join(import.meta.dirname, '../../../.cache')
/** confluent-kafka's own extra pins packages that mirrors may not have yet, so the parts that its serializers need are named one by one. */
const confluent = [
  'confluent-kafka==2.16.1',
  'attrs==26.1.0',
  'Authlib==1.9.9',
  'cachetools==8.0.1',
  'certifi',
  'fastavro==1.13.1',
  'httpx==0.28.1',
  'typing_extensions==4.16.0'
]

/** The interpreter with the packages installed, confluent-kafka if none are named, or why it cannot be had. */
export function pythonEnvironment(
  name = 'python',
  packages: readonly string[] = confluent
): { readonly python: string } | { readonly missing: string } {
  const directory = join(cache, name)
  const python = join(directory, 'bin', 'python')
  const stamp = join(directory, '.installed')
  const wanted = createHash('sha256').update(packages.join('\n')).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { python }
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const made = spawnSync('python3', ['-m', 'venv', directory], { encoding: 'utf8' })
  if (made.status !== 0) return { missing: `python3 -m venv: ${made.error?.message ?? made.stderr.trim()}` }
  const installed = spawnSync(python, ['-m', 'pip', 'install', '--quiet', ...packages], { encoding: 'utf8' })
  if (installed.status !== 0) return { missing: `pip install: ${installed.stderr.trim().split('\n').at(-1)}` }
  writeFileSync(stamp, wanted)
  return { python }
}
