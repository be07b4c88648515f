import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from './user-error.ts'

/** The umask of a process that handles secrets and data, and of the processes that it starts. */
export const PRIVATE_UMASK = 0o077

/** Creates a folder, or restricts an existing one, so that only its owner can read it. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
}

/** Writes a file atomically. Only its owner can read the file and its folder. */
export function writePrivate(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, contents, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export function writePrivateJson(path: string, value: unknown): void {
  writePrivate(path, `${JSON.stringify(value, null, 2)}\n`)
}

/** Reads JSON that `writePrivateJson` wrote; undefined if the file does not exist. `remedy` says what to do if it is broken. */
export function readJson<T>(path: string, remedy: string): T | undefined {
  if (!existsSync(path)) return undefined
  try {
    // writePrivateJson wrote a value of this type, atomically.
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch (cause) {
    throw new UserError(`${path} is not JSON: ${String(cause)}. ${remedy}`)
  }
}
