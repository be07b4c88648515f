import { ApiError } from '../../infra/local/cloud/account.ts'

/** Who may call: one token, for one account. */
export interface Authority {
  readonly accountId: string
  readonly token: string
}

/**
 * Refuses a request as the API does: 400/9106 without a token, 400/6003 for one of the wrong form (workers-sdk
 * issue 5175), 403/9109 for one that nobody has, 403/10000 for an account that it does not cover.
 */
export function checkAuthority(authority: Authority, path: string, header: string | undefined): void {
  if (!header) throw new ApiError(400, 9106, 'missing Authorization header')
  const token = /^Bearer ([\w-]{40,80})$/.exec(header)?.[1]
  if (!token) throw new ApiError(400, 6003, 'invalid request headers')
  if (token !== authority.token) throw new ApiError(403, 9109, 'invalid access token')
  const account = /^\/accounts\/([^/]+)/.exec(path)?.[1]
  if (account && account !== authority.accountId) throw new ApiError(403, 10000, 'authentication error')
}

/** What the API says of the token that came with the call: whoever gets here has the right one. */
export function showToken(): unknown {
  return { id: '0', status: 'active' }
}
