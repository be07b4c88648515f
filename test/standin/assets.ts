import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { ApiError } from '../../infra/local/cloud/account.ts'
import {
  type AssetsConfig,
  MAX_ASSET_BYTES,
  MAX_ASSETS,
  type UploadedAssets,
} from '../../infra/local/cloud/assets.ts'
import type { AssetUploads, Call, Manifest } from './call.ts'
import type { ApiAssets } from './metadata.ts'

/** Most files that the stand-in asks for at once. A small number makes clients send more than one bucket. */
const BUCKET_FILES = 2

const File = z.strictObject({ hash: z.string().regex(/^[0-9a-f]{32}$/), size: z.int().min(0) })
const Session = z.strictObject({ manifest: z.record(z.string().startsWith('/'), File) })
export function noUploads(): AssetUploads {
  return { files: new Map(), sessions: new Map(), completed: new Map(), losesToken: false }
}

/** Opens a session. Asks only for files that the account does not have, and completes a session that needs none. */
export function openSession({ cloud: { uploads }, body }: Call): unknown {
  const { manifest } = Session.parse(body)
  const entries = Object.entries(manifest)
  if (entries.length > MAX_ASSETS) throw new ApiError(400, 100309, 'the manifest has too many files')
  const [largest] = entries.filter(([, { size }]) => size > MAX_ASSET_BYTES)
  if (largest) throw new ApiError(400, 100309, `the file ${largest[0]} is larger than 25 MiB`)
  const missing = missingIn(manifest, uploads)
  if (missing.length === 0) return { jwt: newToken(uploads.completed, manifest), buckets: [] }
  const buckets = missing.flatMap((_, at) =>
    at % BUCKET_FILES === 0 ? [missing.slice(at, at + BUCKET_FILES)] : [],
  )
  return { jwt: newToken(uploads.sessions, manifest), buckets }
}

/** Takes files of a session. The reply to the last one has status 201 and the token that completes the session. */
export function receiveAssets({ cloud: { uploads }, query, bearer, files }: Call): Response {
  const manifest = uploads.sessions.get(bearer)
  if (!manifest) throw new ApiError(403, 10000, 'the token is not of an upload session')
  if (query.get('base64') !== 'true') throw new ApiError(400, 10001, 'expected base64=true')
  for (const { hash, type, text } of files) {
    const listed = Object.values(manifest).find((file) => file.hash === hash)
    const bytes = Buffer.from(text, 'base64')
    if (!listed) throw new ApiError(400, 100310, `the file ${hash} is not in the manifest`)
    if (listed.size !== bytes.length)
      throw new ApiError(400, 100310, `the file ${hash} has ${bytes.length} bytes, not ${listed.size}`)
    // The API serves such a file as a download. No asset of ours is one.
    if (!type || type === 'application/octet-stream')
      throw new ApiError(400, 100310, `the file ${hash} has no content type`)
    uploads.files.set(hash, bytes)
  }
  const isComplete = missingIn(manifest, uploads).length === 0
  const isTold = isComplete && !uploads.losesToken
  if (isComplete) uploads.losesToken = false
  const result = { ...(isTold && { jwt: newToken(uploads.completed, manifest) }), buckets: [] }
  const status = isComplete ? 201 : 202
  return Response.json({ success: true, errors: [], messages: [], result }, { status })
}

/** Returns the assets that an upload refers to; undefined without a token, even if it has a configuration. */
export function assetsOf(
  { files, completed }: AssetUploads,
  { jwt, config }: ApiAssets,
): UploadedAssets | undefined {
  if (jwt === undefined) return undefined
  const manifest = completed.get(jwt)
  if (!manifest) throw new ApiError(400, 10021, 'the token does not complete an upload session')
  const contents = Object.entries(manifest).map(([path, { hash }]): [string, Uint8Array] => [
    path,
    files.get(hash) ?? new Uint8Array(),
  ])
  return { config: toConfig(config), files: new Map(contents) }
}

function toConfig(config: ApiAssets['config'] = {}): AssetsConfig {
  const { _headers: headers, html_handling: htmlHandling, not_found_handling: notFoundHandling } = config
  return { headers, htmlHandling, notFoundHandling }
}

function missingIn(manifest: Manifest, { files }: AssetUploads): readonly string[] {
  const hashes = new Set(Object.values(manifest).map(({ hash }) => hash))
  return [...hashes].filter((hash) => !files.has(hash))
}

/** Makes a token of the shape of a JWT, which no token of the API has. */
function newToken(issued: Map<string, Manifest>, manifest: Manifest): string {
  const token = `${randomBytes(20).toString('hex')}.${randomBytes(20).toString('hex')}.${randomBytes(20).toString('hex')}`
  issued.set(token, manifest)
  return token
}
