import type { Route } from './permissions.ts'

/** The facts of a stack that decide the permissions of its token. */
export interface TokenNeeds {
  readonly stack: string
  /** Undefined if the token must find it. */
  readonly accountId: string | undefined
  readonly hostname: string | undefined
  readonly zoneId: string | undefined
  readonly route: Route | undefined
  /** The state is in object storage of the same account, which the same token may open. */
  readonly keepsStateInR2: boolean
}

interface Permission {
  readonly key: string
  readonly type: 'read' | 'edit'
}

/** The two permissions that every stack needs. */
const WORKERS: readonly Permission[] = [
  { key: 'workers_scripts', type: 'edit' },
  { key: 'workers_kv_storage', type: 'edit' },
]

/** Says in one sentence, without its full stop, how to get a token that suits the stack. */
export function createToken(needs: TokenNeeds): string {
  return `Create one at ${tokenLink(needs)} and export it as CLOUDFLARE_API_TOKEN`
}

/**
 * The address of the dashboard's form for a new token, filled in with the permissions of the stack
 * (developers.cloudflare.com/fundamentals/api/how-to/account-owned-token-template). The dashboard ignores a key that it
 * does not know, so a person still reads the form before confirming it.
 */
export function tokenLink(needs: TokenNeeds): string {
  const fields = {
    permissionGroupKeys: JSON.stringify(permissionsOf(needs)),
    accountId: needs.accountId ?? '*',
    zoneId: needs.zoneId ?? 'all',
    name: `chronicle-sync-${needs.stack}`,
  }
  return `https://dash.cloudflare.com/profile/api-tokens?${new URLSearchParams(fields)}`
}

function permissionsOf(needs: TokenNeeds): readonly Permission[] {
  const { hostname, route, keepsStateInR2 } = needs
  return [
    ...WORKERS,
    // With it, the token tells which account it is for, so that nobody has to look up the id.
    { key: 'account_settings', type: 'read' },
    ...onlyIf(keepsStateInR2, { key: 'workers_r2', type: 'edit' }),
    ...onlyIf(Boolean(hostname ?? route), { key: 'zone', type: 'read' }),
    ...onlyIf(route !== undefined, { key: 'workers_routes', type: 'edit' }),
    ...onlyIf(route?.needsRecord === true, { key: 'dns', type: 'edit' }),
  ]
}

function onlyIf(isNeeded: boolean, permission: Permission): readonly Permission[] {
  return isNeeded ? [permission] : []
}
