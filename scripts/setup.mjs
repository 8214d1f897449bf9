// Makes a fresh clone ready: installs what the lockfile names when node_modules is missing or older than the lockfile, and lets the command
// compile its sources once, so that the first server starts as fast and as lean as every later one.
// Plain JavaScript for any Node >= 18, since the pinned Node comes with the install.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const lockfile = readFileSync(join(root, 'package-lock.json'))
const wanted = createHash('sha256').update(lockfile).digest('hex')
const stamp = join(root, 'node_modules', '.assay-setup')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  const started = Date.now()
  console.error(`Installing what package-lock.json names (npm ci, no install scripts; Node ${process.versions.node}) ...`)
  // Packages' own install scripts are never run: every native package used ships its binary inside the package.
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32'
  })
  if (npm.status !== 0) {
    console.error('npm ci failed; see the lines above. Fix the cause and run the same command again.')
    process.exit(npm.status ?? 1)
  }
  writeFileSync(stamp, wanted)
  console.error(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.`)
}

if (!existsSync(join(root, 'apps', 'cli', '.cache'))) {
  // The help of a verb loads all that the verb runs on. Should it fail, so will the command that comes next, and say why.
  const command = join(root, 'apps', 'cli', 'bin', 'assay.js')
  for (const verb of ['serve', 'dev']) spawnSync(process.execPath, [command, verb, '--help'], { stdio: 'ignore' })
}
