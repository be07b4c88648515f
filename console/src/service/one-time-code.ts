import { signal } from '@preact/signals'
import { signIn, signInReason } from './operator.ts'
import { Refusal, request } from './request.ts'

const CODE = /^#code=(.+)$/

/** Other services than those of `npm start` have no such route, so that one sentence fits all refusals. */
const REFUSED =
  'The one-time code was not accepted. It works once, within ten minutes. Run npm start again, or sign in with the admin token.'

/** Whether a code is on its way to the service. */
export const isExchanging = signal(false)

/** Takes the one-time code out of the address, if it has one, and signs in with it. Call this before anything else. */
export async function useCode(): Promise<void> {
  const [, code] = CODE.exec(location.hash) ?? []
  if (code === undefined) return
  history.replaceState(null, '', '#/')
  isExchanging.value = true
  try {
    const options = { method: 'POST', body: { code } } as const
    const { adminToken } = await request<{ readonly adminToken: string }>('/console/code', options)
    await signIn(adminToken)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    signInReason.value = REFUSED
  } finally {
    isExchanging.value = false
  }
}
