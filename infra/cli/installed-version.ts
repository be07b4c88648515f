import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const Package = z.object({ version: z.string() })

/** The version of an installed package; undefined if the package is not installed. */
export function installedVersion(root: string, name: string): string | undefined {
  return versionAt(root, `node_modules/${name}`)
}

/** The version of the package in a folder; undefined if there is no package. */
export function versionAt(root: string, folder: string): string | undefined {
  const { data } = Package.safeParse(readJsonFile(root, join(folder, 'package.json')))
  // Some packages write v1.2.3, which npm and its lock file read as 1.2.3.
  return data?.version.replace(/^v/, '')
}

/** The parsed file; undefined if it is missing or is not JSON. */
export function readJsonFile(root: string, path: string): unknown {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'))
  } catch {
    return undefined
  }
}
