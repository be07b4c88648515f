import { ApiError } from '../../infra/local/cloud/account.ts'

/** Credential that the API accepts: one token, for one account. */
export interface Authority {
  readonly accountId: string
  readonly token: string
}

/** Upload of static assets, which sends the token of a session instead. Its route checks that token. */
const ASSET_UPLOAD = /^\/accounts\/[^/]+\/workers\/assets\/upload$/

/**
 * Refuses a request with the API's status and code: 400/9106 without a token, 400/6003 for a malformed token
 * (workers-sdk issue 5175), 403/9109 for an unknown token, 403/10000 for an account that the token does not cover.
 */
export function checkAuthority(authority: Authority, path: string, header: string | undefined): void {
  if (!header) throw new ApiError(400, 9106, 'missing Authorization header')
  if (ASSET_UPLOAD.test(path)) return
  const token = /^Bearer ([\w-]{40,80})$/.exec(header)?.[1]
  if (!token) throw new ApiError(400, 6003, 'invalid request headers')
  if (token !== authority.token) throw new ApiError(403, 9109, 'invalid access token')
  const account = /^\/accounts\/([^/]+)/.exec(path)?.[1]
  if (account && account !== authority.accountId) throw new ApiError(403, 10000, 'authentication error')
}

/** Reports the token of the call as active. A call with another token was refused before. */
export function showToken(): unknown {
  return { id: '0', status: 'active' }
}
