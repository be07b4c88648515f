import type { Scope, Session } from '../../core/access/session.ts'
import { HTTPError } from './errors.ts'
import { type Exchange, spaceOf } from './exchange.ts'
import { refusal, unwrap } from './refusal.ts'

/** Refusals of the form of a request. They are known before its space is asked. */
const FORM_FAULTS: readonly string[] = [
  'body-timeout',
  'body-too-large',
  'forbidden-origin',
  'invalid-request',
  'lone-surrogate',
  'not-json',
  'not-utf8',
  'number-out-of-range',
  'too-deep',
  'too-many-changes',
  'unsupported-media-type',
  'upgrade-required',
]

/** The rights that a route requires of a session. They are checked before the form of the request. */
export interface Needs {
  /** Every one of these scopes. */
  readonly scopes: readonly Scope[]
  /** A token of all collections. */
  readonly whole?: true
}

/**
 * Rethrows a refusal unless another reason comes first: the session was ended, then it lacks a scope, then the form
 * (SC16). The space is asked only if the form is at fault, because every other request reaches it anyway.
 */
export async function rethrowInOrder(
  { env }: Exchange,
  session: Session,
  { needs, thrown }: { readonly needs: Needs; readonly thrown: unknown },
): Promise<never> {
  if (thrown instanceof HTTPError && FORM_FAULTS.includes(thrown.code)) {
    unwrap(await spaceOf(env, session).admit(session))
    const needed = needs.scopes.find((scope) => !session.scopes.includes(scope))
    if (needed !== undefined) throw refusal({ code: 'forbidden-scope', needed })
    if (needs.whole && session.collections !== null)
      throw refusal({ code: 'forbidden-collection', collection: '*' })
  }
  throw thrown
}
