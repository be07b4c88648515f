import { createHash } from 'node:crypto'
import { RunError } from '@pulumi/pulumi/errors.js'

/** The longest DNS label (RFC 1035, 2.3.4). A longer script name gets no workers.dev host. */
const MAX_SCRIPT_NAME_CHARS = 63

export interface Names {
  readonly scriptName: string
  /** Contains the stack, because it must be unique in the account. */
  readonly namespaceTitle: string
  /** The dataset of the Analytics Engine, which the first write creates. */
  readonly dataset: string
}

/** The physical names of a stack. The same base and stack always give the same names. */
export function physicalNames(base: string, stack: string): Names {
  const scriptName = `${base}-${stack}`
  if (!/^[a-z0-9][a-z0-9-]*[a-z0-9]$/.test(scriptName) || scriptName.length > MAX_SCRIPT_NAME_CHARS) {
    throw new RunError(
      `stack "${stack}" would name the script "${scriptName}": expected at most ${MAX_SCRIPT_NAME_CHARS} of a-z, 0-9 and -. Choose another stack name`,
    )
  }
  return { scriptName, namespaceTitle: `${scriptName}-metadata`, dataset: scriptName.replaceAll('-', '_') }
}

/** The logical name of one generation of a secret. The first generation has the plain name of its role. */
export function secretName(role: string, generation: number): string {
  return generation === 1 ? role : `${role}-${generation}`
}

/** The settings that say where a stack answers. A custom domain takes precedence. */
export interface HostSettings {
  readonly hostname?: string | undefined
  readonly route?: string | undefined
  readonly workersDevSubdomain?: string | undefined
}

/** The host of a stack's url; undefined if only the account knows it. */
export function hostName(
  { hostname, route, workersDevSubdomain }: HostSettings,
  scriptName: string,
): string | undefined {
  const workersDev = workersDevSubdomain && `${scriptName}.${workersDevSubdomain}.workers.dev`
  return hostname ?? (route && hostOf(route)) ?? workersDev
}

/** The host of a route's pattern. */
export function hostOf(route: string): string {
  return route.replace(/\/.*$/, '')
}

/**
 * The namespace of a rate limit: a positive integer that no other Worker of the account has, so that two stacks never
 * share a budget. Derived by a hash instead of counted, so that it never depends on an order.
 */
export function rateLimitNamespaceId(scriptName: string, binding: string): string {
  const digest = createHash('sha256').update(`${scriptName}/${binding}`).digest()
  return String(1 + (digest.readUInt32BE(0) >>> 1))
}
