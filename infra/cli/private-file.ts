import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from './user-error.ts'

/** What files and folders are made with by a process that handles secrets and data, and by those that it starts. */
export const PRIVATE_UMASK = 0o077

/** Makes sure that a folder is there for its owner only, whoever made it, before others write into it. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
}

/** Writes the file whole or not at all, readable by its owner only, in a folder of the same kind. */
export function writePrivate(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, contents, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function writePrivateJson(path: string, value: unknown): void {
  writePrivate(path, `${JSON.stringify(value, null, 2)}\n`)
}

/** The JSON that this machine wrote there earlier; undefined if there is none. */
export function readJson<T>(path: string): T | undefined {
  if (!existsSync(path)) return undefined
  try {
    // Written by writePrivateJson of the same shape, whole or not at all.
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch (cause) {
    throw new UserError(`${path} is not JSON: ${String(cause)}. Delete its folder to begin anew`)
  }
}
