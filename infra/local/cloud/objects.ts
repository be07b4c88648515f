import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadAccount } from './account.ts'

/** Where the runtime keeps the objects of each class, and how it names their files. */
const OBJECTS = 'data/do'
const OBJECT_FILE = /^([0-9a-f]{64})\.sqlite$/

/** The ids of the objects that a stack of the embedded cloud has stored. `folder`: of the stack. */
export function storedObjects(folder: string, className: string): readonly string[] {
  const keys = loadAccount(folder).scripts.map(({ classes }) => classes[className])
  const folders = keys.map((key) => join(folder, OBJECTS, key ?? '')).filter((path) => existsSync(path))
  return folders.flatMap((path) => readdirSync(path).flatMap((name) => OBJECT_FILE.exec(name)?.[1] ?? []))
}
