import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path'

/** The provider and the platform both know the types of these. Another file could be served as a download, or as text. */
const KNOWN_TYPES = ['.css', '.html', '.js', '.json', '.svg']

/** The Worker serves every path of the API, with the headers of every reply. */
const API = /^\/api(\/|$)/

/** The header with the policy for the contents of a page. */
const POLICY = 'Content-Security-Policy'

/** Finds mistakes in the static assets of a script, which have paths like `/index.html`. */
export function assetMistakes(files: ReadonlyMap<string, Uint8Array>, headers: string): readonly string[] {
  return [...[...files.keys()].flatMap(pathMistakes), ...equalFiles(files), ...headerMistakes(headers)]
}

function pathMistakes(path: string): readonly string[] {
  if (API.test(path)) return [`The asset ${path} hides a path of the API. Move it out of /api.`]
  if (/^[._]/.test(basename(path))) {
    return [`The asset ${path} would be uploaded and served like any other. Remove it from worker/assets.`]
  }
  if (KNOWN_TYPES.includes(extname(path))) return []
  return [`The asset ${path} has an unknown type. Known types: ${KNOWN_TYPES.join(' ')}.`]
}

/** The platform stores equal files once, with the type of one of them. */
function equalFiles(files: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const seen = new Map<string, string>()
  return [...files].flatMap(([path, bytes]) => {
    const digest = createHash('sha256').update(bytes).digest('hex')
    const first = seen.get(digest) ?? path
    seen.set(digest, first)
    if (extname(first) === extname(path)) return []
    return [`The assets ${first} and ${path} are equal, and would be served as one type. Change one of them.`]
  })
}

/**
 * The rule for all paths protects them. The platform joins the headers of all rules that fit a path, and a browser obeys
 * each of two policies, so a rule of its own policy first removes the one for all.
 */
function headerMistakes(headers: string): readonly string[] {
  const rules = headers.split(/^(?=\/)/m)
  const general = rules.find((rule) => /^\/\*\s*$/m.test(rule)) ?? ''
  const missing = [`${POLICY}: `, 'X-Content-Type-Options: nosniff'].filter((line) => !general.includes(line))
  const doubled = rules.filter(
    (rule) => rule !== general && rule.includes(`${POLICY}: `) && !rule.includes(`! ${POLICY}\n`),
  )
  return [
    ...missing.map((line) => `The assets are served without "${line}". Add it to worker/assets.headers.`),
    ...doubled.map(
      (rule) =>
        `The assets at ${rule.split('\n')[0]} are served with two policies, and a browser obeys both. Write "! ${POLICY}" before that of their own in worker/assets.headers.`,
    ),
  ]
}
