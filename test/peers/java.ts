/** Java runtimes of this machine: that of JAVA_HOME, of the path, and those where Linux puts them. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = '/usr/lib/jvm'

/** The command that starts a Java of this version or a later one; undefined when there is none. */
export function javaOf(versionMin: number): string | undefined {
  const home = process.env['JAVA_HOME']
  const installed = existsSync(FOLDER) ? readdirSync(FOLDER).map(name => join(FOLDER, name, 'bin/java')) : []
  const commands = [...(home ? [join(home, 'bin/java')] : []), 'java', ...installed]
  return commands.find(command => versionOf(command) >= versionMin)
}

/** 17 for `openjdk version "17.0.15"`; 0 when it cannot be started. */
function versionOf(command: string): number {
  const { stderr } = spawnSync(command, ['-version'], { encoding: 'utf8' })
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0)
}
