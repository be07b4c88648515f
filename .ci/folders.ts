/** Measures a tree of files: cycles of imports between folders, files of a folder, and lines of a file. */
import { dirname, join } from 'node:path/posix'
import ts from 'typescript'

/** An import from a file in one folder of a file in another. A folder and its subfolder are two. */
export type Crossing = { readonly from: string; readonly to: string }

type Graph = ReadonlyMap<string, ReadonlySet<string>>

/** Imports of a source file that cross folders. Imports of types count too. */
export function crossings(path: string, text: string): readonly Crossing[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => ({ from: path, to: join(dirname(path), fileName) }))
    .filter(({ from, to }) => dirname(from) !== dirname(to))
}

/** Groups of folders in which every folder reaches every other one, each with the imports that cause it. */
export function folderCycles(all: readonly Crossing[]): readonly (readonly Crossing[])[] {
  const graph = graphOf(all)
  const reached = new Map([...graph.keys()].map((folder) => [folder, reachable(graph, folder)]))
  const isCyclic = (a: string, b: string) =>
    reached.get(a)?.has(b) === true && reached.get(b)?.has(a) === true
  const groups = new Map<string, Crossing[]>()
  for (const crossing of all) {
    const [from, to] = [dirname(crossing.from), dirname(crossing.to)]
    if (!isCyclic(from, to)) continue
    const first =
      [...graph.keys()].filter((folder) => folder === from || isCyclic(from, folder)).sort()[0] ?? from
    groups.set(first, [...(groups.get(first) ?? []), crossing])
  }
  return [...groups.values()]
}

/** Folders that hold more than `most` files of their own, with the number. */
export function fullFolders(paths: readonly string[], most: number): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>()
  for (const path of paths) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > most)
}

/** Whether a source file is longer than a reader should have to scroll. Comments and blank lines count. */
export function isLong(path: string, text: string): boolean {
  return text.trimEnd().split('\n').length > mostLines(path)
}

/** Tests may be longer, as they read from title to title. */
export function mostLines(path: string): number {
  return path.startsWith('test/') ? 400 : 300
}

function graphOf(all: readonly Crossing[]): Graph {
  const graph = new Map<string, Set<string>>()
  for (const { from, to } of all) {
    const targets = graph.get(dirname(from)) ?? new Set()
    graph.set(dirname(from), targets.add(dirname(to)))
  }
  return graph
}

function reachable(graph: Graph, start: string): ReadonlySet<string> {
  const found = new Set<string>()
  const next = [start]
  for (let folder = next.pop(); folder !== undefined; folder = next.pop())
    for (const target of graph.get(folder) ?? [])
      if (!found.has(target)) {
        found.add(target)
        next.push(target)
      }
  return found
}
