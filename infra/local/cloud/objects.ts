import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadAccount } from './account.ts'

/** The runtime's folder for the objects of each class, and the names of their files. */
const OBJECTS = 'data/do'
const OBJECT_FILE = /^([0-9a-f]{64})\.sqlite$/

/** The ids of the objects of a class that hold data, read from the folder of a local stack. */
export function storedObjects(folder: string, className: string): readonly string[] {
  const keys = loadAccount(folder).scripts.map(({ classes }) => classes[className])
  const folders = keys.map((key) => join(folder, OBJECTS, key ?? '')).filter((path) => existsSync(path))
  return folders.flatMap((path) => readdirSync(path).flatMap((name) => OBJECT_FILE.exec(name)?.[1] ?? []))
}
