import type { Scope, Session } from '../../core/access/session.ts'
import { HTTPError } from './errors.ts'
import { type Exchange, spaceOf } from './exchange.ts'
import { refusal, unwrap } from './refusal.ts'

/** Refusals of how a request is made: they can be told before its space is asked. */
const OF_SHAPE: readonly string[] = [
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

/** What a route asks of a session before the shape of a request counts. */
export interface Needs {
  /** All of these. */
  readonly scopes: readonly Scope[]
  /** A token of all collections. */
  readonly whole?: true
}

/**
 * Passes on why a request is refused, unless another reason comes first: that the session was ended, then that it lacks
 * a scope, then the shape (SC16). Its space is asked only where the shape is at fault: every other request gets there
 * anyhow.
 */
export async function inOrder(
  { env }: Exchange,
  session: Session,
  { needs, thrown }: { readonly needs: Needs; readonly thrown: unknown },
): Promise<never> {
  if (thrown instanceof HTTPError && OF_SHAPE.includes(thrown.code)) {
    unwrap(await spaceOf(env, session).admit(session))
    const needed = needs.scopes.find((scope) => !session.scopes.includes(scope))
    if (needed !== undefined) throw refusal({ code: 'forbidden-scope', needed })
    if (needs.whole && session.collections !== null)
      throw refusal({ code: 'forbidden-collection', collection: '*' })
  }
  throw thrown
}
