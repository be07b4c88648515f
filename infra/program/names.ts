import { createHash } from 'node:crypto'
import { RunError } from '@pulumi/pulumi/errors.js'

/** Longest script name that still gets a workers.dev host: a DNS label (RFC 1035, 2.3.4). */
const MAX_SCRIPT_NAME_CHARS = 63

export interface Names {
  readonly scriptName: string
  /** Unique per account, so the stack is part of it. */
  readonly namespaceTitle: string
  /** Of the Analytics Engine, made at the first write. */
  readonly dataset: string
}

/** The physical names of a stack: the same for ever for the same base and stack. */
export function physicalNames(base: string, stack: string): Names {
  const scriptName = `${base}-${stack}`
  if (!/^[a-z0-9][a-z0-9-]*[a-z0-9]$/.test(scriptName) || scriptName.length > MAX_SCRIPT_NAME_CHARS) {
    throw new RunError(
      `stack "${stack}" would name the script "${scriptName}": expected at most ${MAX_SCRIPT_NAME_CHARS} of a-z, 0-9 and -. Choose another stack name`,
    )
  }
  return { scriptName, namespaceTitle: `${scriptName}-metadata`, dataset: scriptName.replaceAll('-', '_') }
}

/** The logical name of one generation of a secret: the first one has the plain name of its role. */
export function secretName(role: string, generation: number): string {
  return generation === 1 ? role : `${role}-${generation}`
}

/** Where a stack answers: the settings tell the ways in, of which one's own name comes first. */
export interface WaysIn {
  readonly hostname?: string | undefined
  readonly route?: string | undefined
  readonly workersDevSubdomain?: string | undefined
}

/** The host of a stack's url. No data source tells the account's workers.dev subdomain: it is a setting. */
export function hostName({ hostname, route, workersDevSubdomain }: WaysIn, scriptName: string): string {
  return (
    hostname ?? (route && hostOf(route)) ?? `${scriptName}.${workersDevSubdomain ?? '<account>'}.workers.dev`
  )
}

/** The host of a route's pattern. */
export function hostOf(route: string): string {
  return route.replace(/\/.*$/, '')
}

/**
 * The namespace of a rate limit: a positive integer that no other Worker of the account shares, else
 * two stacks would use up one budget. Derived, not counted, so that it never depends on order.
 */
export function rateLimitNamespaceId(scriptName: string, binding: string): string {
  const digest = createHash('sha256').update(`${scriptName}/${binding}`).digest()
  return String(1 + (digest.readUInt32BE(0) >>> 1))
}
