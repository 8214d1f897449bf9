/** A package of the npm registry that only this scenario needs: installed once in the project's cache from a lock file of its own. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const cache = join(import.meta.dirname, '../../../../.cache/registry-clients')
const INSTALL_TIMEOUT_MS = 120_000

/** Installs what `folder` (package.json, package-lock.json, .npmrc) names. Answers where it lies, or why it cannot be had. */
export function npmPackage(name: string, folder: string): { readonly folder: string } | { readonly missing: string } {
  const installed = join(cache, name)
  const stamp = join(installed, '.installed')
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { folder: installed }
  rmSync(installed, { recursive: true, force: true })
  mkdirSync(installed, { recursive: true })
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(join(folder, file), join(installed, file))
  // No install scripts: the client is plain JavaScript, and what it can use besides is not asked for here.
  const options = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000'
  ]
  const npm = spawnSync('npm', ['ci', ...options], {
    cwd: installed,
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
    shell: process.platform === 'win32'
  })
  if (npm.status !== 0) return { missing: `npm ci: ${npm.error?.message ?? npm.stderr.trim().split('\n')[0]}` }
  writeFileSync(stamp, wanted)
  return { folder: installed }
}
