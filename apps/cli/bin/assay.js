#!/usr/bin/env node
// Starts the command on a Node that can run it: this one when it is recent, else the one that the project pins.
// From a checkout it runs the TypeScript sources, from a published package the built files.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_MAJOR = 24
const here = dirname(fileURLToPath(import.meta.url))
const sources = join(here, '..', 'main.ts')
const built = join(here, '..', 'dist', 'main.js')
const fromSources = existsSync(sources)
const args = [...(fromSources ? ['--conditions=source', sources] : [built]), ...process.argv.slice(2)]
const node = Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR ? process.execPath : pinnedNode()

if (node === undefined) {
  console.error(
    `assay needs Node ${OLDEST_MAJOR} or later; this is ${process.versions.node}, and no node-* package is installed beside it.`
  )
  process.exit(1)
}
if (typeof process.execve === 'function' && process.platform !== 'win32') {
  // The same process goes on, so that signals and the process ID are the command's own.
  process.execve(node, [node, ...args], process.env)
}
const child = spawn(node, args, { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  if (signal) process.exitCode = 128 + 15
  else process.exitCode = code ?? 1
})

function pinnedNode() {
  const require = createRequire(import.meta.url)
  const platform = process.platform === 'win32' ? 'win' : process.platform
  try {
    const manifest = require.resolve(`node-${platform}-${process.arch}/package.json`)
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  } catch {
    return undefined
  }
}
