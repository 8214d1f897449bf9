/** The imports between rooms and between files, read from the sources; says what runs upward or in a circle, and draws the house. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

/** The floors of the house, top first. A room imports from floors below it, and on its own floor as long as no circle comes of it. */
export const floors: readonly (readonly string[])[] = [
  ['apps/cli'],
  ['apps/registry', 'apps/broker'],
  ['libs/gate', 'libs/engine'],
  ['libs/registry', 'libs/log', 'libs/client', 'libs/codegen', 'libs/security'],
  ['libs/protocol', 'libs/records', 'libs/store', 'libs/avro', 'libs/config'],
  ['libs/std', 'libs/errors']
]

export interface Import {
  readonly from: string
  /** A file of the project. */
  readonly to: string
}

export interface Graph {
  readonly files: readonly string[]
  readonly imports: readonly Import[]
}

export interface Fault {
  readonly what: string
}

/** Reads every source file of apps and libs, tests left out. Type imports count. */
export function readGraph(root: string): Graph {
  const files = globSync(['apps/**/*.ts', 'libs/**/*.ts'], { cwd: root })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => !/\/(node_modules|dist|test)\//.test(file) && !/\.(test|fixture)\.ts$/.test(file))
    .sort()
  const packages = packagesOf(root)
  const known = new Set(files)
  const imports = files.flatMap(from => {
    const text = readFileSync(join(root, from), 'utf8')
    return specifiersOf(text)
      .map(specifier => resolve(from, specifier, packages))
      .filter(to => to !== undefined && known.has(to))
      .map(to => ({ from, to: to! }))
  })
  return { files, imports }
}

/** Arrows that run upward, circles of files, rooms that no floor names, and packages imported without being declared. */
export function faultsOf(graph: Graph, root: string): Fault[] {
  return [...unplacedRooms(graph), ...upwardArrows(graph), ...undeclared(graph, root), ...ownIndex(graph), ...circles(graph)]
}

export const roomOf = (file: string): string => file.split('/').slice(0, 2).join('/')
const floorOf = (room: string): number => floors.findIndex(floor => floor.includes(room))

/** Rooms with the rooms that they import, in the order of the floors. */
export function roomArrows(graph: Graph): Map<string, string[]> {
  const arrows = new Map<string, string[]>()
  for (const room of floors.flat()) {
    const targets = new Set(graph.imports.filter(arrow => roomOf(arrow.from) === room).map(arrow => roomOf(arrow.to)))
    targets.delete(room)
    arrows.set(
      room,
      floors.flat().filter(other => targets.has(other))
    )
  }
  return arrows
}

/** The house as SVG: one row a floor, one box a room, one line an import. */
export function drawSvg(graph: Graph): string {
  const width = 1000
  const rowHeight = 110
  const box = { width: 130, height: 44 }
  const places = new Map<string, { x: number; y: number }>()
  floors.forEach((floor, row) => {
    floor.forEach((room, column) => {
      places.set(room, { x: (width * (column + 1)) / (floor.length + 1), y: 40 + row * rowHeight })
    })
  })
  const lines = [...roomArrows(graph)].flatMap(([from, targets]) =>
    targets.map(to => {
      const a = places.get(from)!
      const b = places.get(to)!
      if (a.y === b.y) return `<path d="M${a.x},${a.y + 22} Q${(a.x + b.x) / 2},${a.y + 62} ${b.x},${b.y + 22}"/>`
      return `<path d="M${a.x},${a.y + 22} L${b.x},${b.y - 22}"/>`
    })
  )
  const lineCounts = new Map<string, number>()
  for (const file of graph.files) lineCounts.set(roomOf(file), (lineCounts.get(roomOf(file)) ?? 0) + 1)
  const boxes = [...places].map(
    ([room, { x, y }]) =>
      `<rect x="${x - box.width / 2}" y="${y - box.height / 2}" width="${box.width}" height="${box.height}" rx="6"/>` +
      `<text x="${x}" y="${y}">${room}</text><text class="n" x="${x}" y="${y + 15}">${lineCounts.get(room) ?? 0} files</text>`
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${floors.length * rowHeight - 10}" font-family="sans-serif" font-size="13">
<style>rect{fill:#f4f1ea;stroke:#6b5b3e}text{text-anchor:middle;fill:#222}.n{font-size:10px;fill:#777}path{fill:none;stroke:#9bb0c9;marker-end:url(#a)}</style>
<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8" style="fill:#9bb0c9;stroke:none;marker-end:none"/></marker></defs>
<rect x="0" y="0" width="100%" height="100%" style="fill:#fff;stroke:none"/>
${lines.join('\n')}
${boxes.join('\n')}
</svg>
`
}

function packagesOf(root: string): Map<string, string> {
  const packages = new Map<string, string>()
  for (const manifest of globSync(['apps/*/package.json', 'libs/*/package.json'], { cwd: root })) {
    const { name } = JSON.parse(readFileSync(join(root, manifest), 'utf8')) as { name: string }
    packages.set(name, dirname(manifest).replaceAll('\\', '/'))
  }
  return packages
}

function specifiersOf(text: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:\n[^'"\n;]*)*?from\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g
  return [...text.matchAll(pattern)].map(match => (match[1] ?? match[2] ?? match[3])!)
}

function resolve(from: string, specifier: string, packages: ReadonlyMap<string, string>): string | undefined {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier)).replaceAll('\\', '/')
  const folder = packages.get(specifier)
  return folder && `${folder}/index.ts`
}

function unplacedRooms({ files }: Graph): Fault[] {
  const rooms = new Set(files.map(roomOf))
  return [...rooms]
    .filter(room => floorOf(room) < 0)
    .map(room => ({ what: `${room} stands on no floor of scripts/import-graph.ts` }))
}

function upwardArrows({ imports }: Graph): Fault[] {
  return imports
    .filter(({ from, to }) => floorOf(roomOf(to)) < floorOf(roomOf(from)))
    .map(({ from, to }) => ({ what: `${from} imports upward: ${to}` }))
}

function undeclared({ imports }: Graph, root: string): Fault[] {
  const packages = packagesOf(root)
  const nameOf = new Map([...packages].map(([name, folder]) => [folder, name]))
  return imports
    .filter(({ from, to }) => roomOf(from) !== roomOf(to))
    .filter(({ from, to }) => {
      const manifest = JSON.parse(readFileSync(join(root, roomOf(from), 'package.json'), 'utf8')) as {
        dependencies?: Record<string, string>
      }
      return !Object.hasOwn(manifest.dependencies ?? {}, nameOf.get(roomOf(to))!)
    })
    .map(({ from, to }) => ({
      what: `${from} imports ${nameOf.get(roomOf(to))}, which ${roomOf(from)}/package.json does not name`
    }))
}

function ownIndex({ imports }: Graph): Fault[] {
  return imports
    .filter(({ from, to }) => roomOf(from) === roomOf(to) && to === `${roomOf(to)}/index.ts`)
    .map(({ from, to }) => ({ what: `${from} imports its own room's entry ${to}` }))
}

/** Circles of files, found as strongly connected components (Tarjan, 1972). */
function circles({ files, imports }: Graph): Fault[] {
  const targets = new Map<string, string[]>(files.map(file => [file, []]))
  for (const { from, to } of imports) targets.get(from)!.push(to)
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const faults: Fault[] = []
  const visit = (file: string): void => {
    index.set(file, index.size)
    low.set(file, index.get(file)!)
    stack.push(file)
    for (const target of targets.get(file)!) {
      if (!index.has(target)) {
        visit(target)
        low.set(file, Math.min(low.get(file)!, low.get(target)!))
      } else if (stack.includes(target)) {
        low.set(file, Math.min(low.get(file)!, index.get(target)!))
      }
    }
    if (low.get(file) !== index.get(file)) return
    const members = stack.splice(stack.indexOf(file))
    if (members.length > 1)
      faults.push({ what: `A circle of imports: ${members.map(member => relative('.', member)).join(' -> ')}` })
  }
  for (const file of files) if (!index.has(file)) visit(file)
  return faults
}
