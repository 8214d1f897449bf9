#!/usr/bin/env node
// Starts the command on a Node that can run it, with the flags that it is meant to run with: in this process when it is such a Node and has
// them, else in another that takes its place. From a checkout it runs the TypeScript sources, from a published package the built files.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_MAJOR = 24
const self = fileURLToPath(import.meta.url)
const cli = join(dirname(self), '..')
const fromSources = existsSync(join(cli, 'main.ts'))
// A server collects the garbage of its start once (commands/serve.ts). The room for young objects is half of what V8 would take, 35 MB less
// under load for 1 % more processor time. It is collected by one thread: to wake others for so little takes 5 % more.
const flags = [
  ...(fromSources ? ['--conditions=source'] : []),
  '--expose-gc',
  '--max-semi-space-size=8',
  '--no-parallel-scavenge'
]
// Of glibc's arenas, one for each few threads, none gives back what another could use: some 40 MB under load.
const memory = { MALLOC_ARENA_MAX: '2' }
const isRecent = Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR

if (isRecent && flags.every(flag => process.execArgv.includes(flag))) {
  // Kept for the next start: what was compiled, and sources without their types. Where nothing can be written, it is done anew each time.
  module.enableCompileCache(join(cli, '.cache'))
  const { main } = await import(fromSources ? '../main.ts' : '../dist/main.js')
  await main()
} else {
  const node = isRecent ? process.execPath : pinnedNode()
  if (node === undefined) {
    console.error(
      `assay needs Node ${OLDEST_MAJOR} or later; this is ${process.versions.node}, and no node-* package is installed beside it.`
    )
    process.exit(1)
  }
  startAgain(node, [...flags, self, ...process.argv.slice(2)])
}

function startAgain(node, args) {
  const env = { ...memory, ...process.env }
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    // The same process goes on, so that signals and the process ID are the command's own.
    process.execve(node, [node, ...args], env)
  }
  const child = spawn(node, args, { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal) process.exitCode = 128 + 15
    else process.exitCode = code ?? 1
  })
}

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
