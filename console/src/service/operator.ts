import { signal } from '@preact/signals'
import { Refusal, type RequestOptions, request, send } from './request.ts'

/** Where a reload of this tab finds the admin token. The browser forgets it with the tab. */
const KEPT_AS = 'chronicle-sync-admin-token'

/** The admin token of the signed-in operator, or null. */
export const adminToken = signal<string | null>(sessionStorage.getItem(KEPT_AS))

/** Why the operator has to sign in, if there is a reason to tell. */
export const signInReason = signal('')

const farewells: (() => void)[] = []

/** Calls back when the operator leaves, before the credentials are forgotten. */
export function onSignOut(farewell: () => void): void {
  farewells.push(farewell)
}

/** Only these characters are in a token: others cannot even be sent. */
const TOKEN = /^[!-~]+$/

const NO_TOKEN = {
  code: 'no-token',
  title: 'This is not an admin token',
  detail:
    'It has a space, or a character that no token has. Copy the token again: the output adminToken of the stack has it.',
}

/** Signs in, if the service takes the token. */
export async function signIn(token: string): Promise<void> {
  signInReason.value = ''
  if (!TOKEN.test(token)) throw new Refusal(NO_TOKEN)
  await send('/api/config', { credential: token })
  sessionStorage.setItem(KEPT_AS, token)
  adminToken.value = token
}

/** Forgets the admin token. The address stays, so that the next sign-in leads back to the same page. */
export function signOut(reason = ''): void {
  for (const farewell of farewells) farewell()
  sessionStorage.removeItem(KEPT_AS)
  signInReason.value = reason
  adminToken.value = null
}

/** Sends a request with the admin token. If the token is no longer valid, the operator has to sign in again. */
export async function ask<T>(path: string, options?: RequestOptions): Promise<T> {
  return asOperator((credential) => request<T>(path, { ...options, credential }))
}

/** Like `ask`, for a reply that is text. */
export async function askText(path: string, options?: RequestOptions): Promise<string> {
  return asOperator(async (credential) => (await send(path, { ...options, credential })).text())
}

async function asOperator<T>(act: (credential: string | undefined) => Promise<T>): Promise<T> {
  const used = adminToken.value
  try {
    return await act(used ?? undefined)
  } catch (error) {
    const isOver = error instanceof Refusal && error.status === 401 && used === adminToken.value
    if (isOver) signOut('The service no longer accepts this admin token. Sign in again to continue here.')
    throw error
  }
}
