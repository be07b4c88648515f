import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivate } from '../../cli/private-file.ts'

/** The limits of the API, for one file and for the files of a script. */
export const MAX_ASSET_BYTES = 25 * 1024 * 1024
export const MAX_ASSETS = 20_000

/** The file from which the runtime reads the rules for headers. */
const HEADERS_FILE = '_headers'

/** How the platform serves the static assets of a script. */
export interface AssetsConfig {
  /** Rules in the syntax of a `_headers` file. */
  readonly headers?: string | undefined
  readonly htmlHandling?: HtmlHandling | undefined
  readonly notFoundHandling?: NotFoundHandling | undefined
}

export type HtmlHandling = 'auto-trailing-slash' | 'force-trailing-slash' | 'drop-trailing-slash' | 'none'
export type NotFoundHandling = 'none' | '404-page' | 'single-page-application'

/** The static assets of an upload. The files have paths like `/index.html`. */
export interface UploadedAssets {
  readonly config: AssetsConfig
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** The folder with the static assets of a script. */
export function assetsFolder(folder: string, scriptName: string): string {
  return join(folder, 'assets', scriptName)
}

/** The first segments of all paths under which the platform may find an asset: pages also without their ending. */
export function firstSegments(folder: string, scriptName: string): readonly string[] {
  const names = readdirSync(assetsFolder(folder, scriptName)).filter((name) => name !== HEADERS_FILE)
  return names.flatMap((name) => [name, name.replace(/\.html$/, ''), ...(name === 'index.html' ? [''] : [])])
}

/** Replaces the static assets of a script; removes the old ones if no new ones are given. */
export function storeAssets(folder: string, scriptName: string, assets: UploadedAssets | undefined): void {
  const own = assetsFolder(folder, scriptName)
  rmSync(own, { recursive: true, force: true })
  if (!assets) return
  for (const [path, bytes] of assets.files) writePrivate(join(own, path), bytes)
  writePrivate(join(own, HEADERS_FILE), assets.config.headers ?? '')
}
