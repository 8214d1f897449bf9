/** Jars from Maven Central, resolved on first use into the project's cache; a stamp beside them tells of which pom they are. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder that they lie in, or why they cannot be had here. */
export type Jars = { readonly directory: string } | { readonly missing: string }

export function mavenJars({ pom, directory }: { readonly pom: string; readonly directory: string }): Jars {
  const wanted = createHash('sha256').update(readFileSync(pom)).digest('hex')
  const stamp = join(directory, '.resolved')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { directory }
  for (const tool of ['java', 'mvn']) {
    if (spawnSync(tool, ['-version']).error) return { missing: `${tool} is not installed` }
  }
  // Jars of another version would stay on the class path beside the new ones.
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${directory}`]
  const resolved = spawnSync('mvn', ['-q', '-B', '-f', pom, ...goal], { encoding: 'utf8' })
  if (resolved.status !== 0) return { missing: `Maven could not resolve it: ${resolved.stdout.trim().split('\n')[0]}` }
  writeFileSync(stamp, wanted)
  return { directory }
}
